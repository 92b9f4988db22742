"""The file of numbers of a run, and its plot."""

import errno
import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from PIL import Image

from core.history import History, plot_history, read_history


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def write(path: Path, steps: list[int], first: int = 0) -> None:
    history = History(path, first)
    for step in steps:
        history.write(step, {"generator/x": step / 3})
    history.close()


def test_each_record_is_a_line_with_its_step_and_values_of_six_digits(path: Path) -> None:
    write(path, [1, 2])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"step": 1, "generator/x": 0.333333},
        {"step": 2, "generator/x": 0.666667},
    ]


def test_a_record_is_on_file_once_it_is_written(path: Path) -> None:
    history = History(path)
    history.write(5, {"x": 1.0})
    assert read_history(path) == [{"step": 5, "x": 1.0}]
    history.close()


def test_a_resumed_run_drops_what_was_written_after_its_checkpoint(path: Path) -> None:
    write(path, [10, 20, 30, 40])
    write(path, [30, 40, 50], first=20)
    assert [record["step"] for record in read_history(path)] == [10, 20, 30, 40, 50]


def test_a_new_run_starts_an_empty_history(path: Path) -> None:
    write(path, [10, 20])
    write(path, [])
    assert path.read_text() == ""


def test_a_last_line_that_a_crash_cut_short_is_left_out(path: Path) -> None:
    write(path, [10, 20])
    with path.open("a") as file:
        file.write('{"step": 30, "generator/x": 1.')
    assert [record["step"] for record in read_history(path)] == [10, 20]
    write(path, [30], first=30)
    assert [record["step"] for record in read_history(path)] == [10, 20, 30]


def test_numbers_that_are_none_survive(path: Path) -> None:
    history = History(path)
    history.write(1, {"x": float("inf"), "y": float("nan")})
    history.close()
    (record,) = read_history(path)
    assert record["x"] == float("inf")
    assert record["y"] != record["y"]


def test_the_plot_has_a_panel_a_player_and_leaves_no_litter(path: Path) -> None:
    heights = []
    for players in (["generator"], ["generator", "discriminator", "validation"]):
        history = History(path)
        for step in (1, 2):
            history.write(step, {f"{player}/loss": 1.0 for player in players})
        history.close()
        plot_history(path, path.with_name("losses.png"))
        with Image.open(path.with_name("losses.png")) as picture:
            heights.append(picture.height)
    assert heights[1] == 3 * heights[0]
    assert {p.name for p in path.parent.iterdir()} == {"history.jsonl", "losses.png"}


def test_nothing_is_plotted_of_an_empty_history(path: Path) -> None:
    write(path, [])
    plot_history(path, path.with_name("losses.png"))
    assert not path.with_name("losses.png").exists()


def test_a_full_disk_is_told_with_the_files_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(path)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(history, "_file", Mock(**{"write.side_effect": full}))
    with pytest.raises(OSError, match="No space left") as caught:
        history.write(1, {"generator/x": 1.0})
    assert caught.value.filename == str(path)
