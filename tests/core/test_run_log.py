"""The log of a run: kept in its folder, warnings read back."""

import logging
from pathlib import Path

from core.run_log import logged, read_warnings, remembering

logger = logging.getLogger("core.somewhere")


def test_warnings_are_read_back_and_what_is_outside_is_not_logged(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    logger.warning("before")
    with logged(path):
        logger.warning("step %d: collapsed", 300)
        logger.info("all is well")
    logger.warning("after")
    ((_time, text),) = read_warnings(path)
    assert text == "step 300: collapsed"


def test_what_was_said_before_there_was_a_folder_is_in_it_once(tmp_path: Path) -> None:
    logger.warning("of another run")
    with remembering():
        logger.warning("a picture is left out")
        for name in ("one", "two"):
            with logged(tmp_path / name):
                logger.warning(name)
    assert [text for _, text in read_warnings(tmp_path / "one")] == ["a picture is left out", "one"]
    assert [text for _, text in read_warnings(tmp_path / "two")] == ["two"]


def test_what_led_to_no_run_is_forgotten(tmp_path: Path) -> None:
    with remembering():
        logger.warning("nothing to train on")
    with logged(tmp_path / "log.txt"):
        logger.warning("the next run")
    assert [text for _, text in read_warnings(tmp_path / "log.txt")] == ["the next run"]


def test_a_run_that_goes_on_appends(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with logged(tmp_path / "log.txt"):
            logger.error(text)
    assert [text for _, text in read_warnings(tmp_path / "log.txt")] == ["one", "two"]


def test_a_quiet_run_leaves_no_log(tmp_path: Path) -> None:
    with logged(tmp_path / "log.txt"):
        pass
    assert not (tmp_path / "log.txt").exists()
    assert read_warnings(tmp_path / "log.txt") == []
