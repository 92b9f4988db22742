import io
import os
import sys
import termios

import pytest

from serving.cli.progress import Progress


class Clock:
    """A clock that goes on by itself, ten seconds each time that it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


def work(progress: Progress) -> None:
    for name, size in (("a.png", 300), ("b.png", 100)):
        with progress.picture(name, size) as tell:
            for row in range(1, 5):
                tell(row, 4)
        progress.say(f"{name} is done", sys.stdout)
    progress.close()


def test_without_a_terminal_there_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(Progress([300, 100], every_s=25, clock=Clock()))
    captured = capsys.readouterr()
    assert captured.out == "a.png is done\nb.png is done\n"
    assert captured.err.splitlines() == [
        "upscale: 56%, 0 of 2 pictures, about 00:23 left",
        "upscale: 81%, 1 of 2 pictures, about 00:13 left",
    ]


def test_what_is_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    work(Progress([300, 100]))
    assert capsys.readouterr().err == ""


def test_in_a_terminal_there_is_a_bar_for_the_picture_and_one_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    monkeypatch.setattr("serving.cli.progress._DELAY_S", 0)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        work(Progress([300, 100]))
        terminal.flush()
        shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "a.png   0%|" in shown
    assert "0 of 2 pictures   0%|" in shown
    assert "left" in shown
