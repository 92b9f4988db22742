"""The log of a run: kept in its folder, warnings read back."""

import logging
from pathlib import Path

from core.run_log import logged, read_warnings

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
