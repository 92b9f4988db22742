"""What every training command does with its user's errors."""

import errno
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.command import UserError, run_command


@dataclass(frozen=True)
class Config:
    """Settings.

    Attributes:
        size: a number.
    """

    size: int = 3

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UserError(f"--size must be at least 1, not {self.size}")


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str, finished: bool = True) -> object:
    def action(config: Config) -> bool:
        if config.size == 13:
            raise UserError("13 brings bad luck")
        return finished

    monkeypatch.setattr("sys.argv", ["program", *arguments])
    with pytest.raises(SystemExit) as end:
        run_command(Config, action)
    return end.value.code


def test_0_when_done(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exit_code(monkeypatch, "--size", "4") == 0


def test_130_when_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exit_code(monkeypatch, finished=False) == 130


def test_130_and_no_more_where_nothing_catches_the_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_config: Config) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(SystemExit) as end:
        run_command(Config, stopped)
    assert end.value.code == 130
    assert capsys.readouterr().err == ""


def test_a_name_that_is_no_text_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8", errors="strict")

    def tell(_config: Config) -> bool:
        return bool(out.write(os.fsdecode(b"caf\xe9.png")))

    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(SystemExit):
        run_command(Config, tell)
    out.flush()
    assert raw.getvalue() == rb"caf\udce9.png"


@pytest.mark.parametrize(
    ("size", "message"),
    [("13", "error: 13 brings bad luck\n"), ("0", "error: --size must be at least 1, not 0\n")],
)
def test_2_and_one_sentence_for_what_the_user_can_mend(
    size: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "--size", size) == 2
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("path", ["file/run", "file", "absent/file", "/proc/run"])
def test_2_and_one_sentence_for_a_place_that_cannot_be_written_to(
    path: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()

    def write(_config: Config) -> bool:
        if path.startswith("absent"):
            (tmp_path / path).write_text("x")
        (tmp_path / path).mkdir(parents=True)
        return True

    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(SystemExit) as end:
        run_command(Config, write)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path / path} cannot be read or written: ")


def test_a_failure_of_the_machine_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_config: Config) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(OSError, match="No space left"):
        run_command(Config, full)


@pytest.mark.parametrize("arguments", [["--size", "three"], ["--colour", "red"]])
def test_2_for_options_that_cannot_be_parsed(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, *arguments) == 2
    shown = capsys.readouterr()
    assert arguments[0] in shown.err + shown.out


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_config: Config) -> bool:
        raise json.JSONDecodeError("a bug", "", 0)

    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(json.JSONDecodeError):
        run_command(Config, broken)
