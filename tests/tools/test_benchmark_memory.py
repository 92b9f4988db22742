"""The memory benchmark upscales pictures of growing height in processes of their own."""

import sys

import pytest

from tools import benchmark_memory as program
from tools.benchmark_memory import peak_mib


def test_a_peak_is_what_the_command_held() -> None:
    little = peak_mib([sys.executable, "-c", "pass"])
    much = peak_mib([sys.executable, "-c", "bytearray(100 << 20)"])
    assert much - little == pytest.approx(100, abs=5)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr("sys.argv", ["benchmark_memory", *arguments])
    with pytest.raises(SystemExit) as end:
        program.main()
    return end.value.code


def test_the_table_has_a_row_for_each_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--megapixels", "0.02", "0.04", "--width", "200") == 0
    title, _, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("jpg, 200 pixels wide")
    assert [row.split()[0] for row in rows] == ["0.02", "0.04"]


@pytest.mark.parametrize("option", ["--megapixels", "--width"])
def test_what_cannot_be_measured_is_exit_code_2(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, option, "0") == 2
