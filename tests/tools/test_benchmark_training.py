"""The training benchmark: the same work in each loop, and a row for each."""

import re
from pathlib import Path

import pytest

from tests.srgan.pictures import save_pictures
from tools import benchmark_training as program


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> object:
    monkeypatch.setattr("sys.argv", ["benchmark_training", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        program.main()
    return end.value.code


def test_the_loops_learn_alike_and_are_compared_by_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_pictures(tmp_path, 3, 96, 80)
    options = ("--patch", "8", "--batch-size", "2", "--steps", "4", "--rounds", "2",
               "--width", "16", "--blocks", "2")  # fmt: skip
    assert run(monkeypatch, tmp_path, *options, "--device", "cpu") == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("light 2x16, batches of 2 patches of 8x8, cpu")
    found = [re.fullmatch(r"(.+?) +([\d.]+) +([\d.]+)x +([\d.]+) ± ([\d.]+)", row) for row in rows]
    names, speeds, ratios, losses, _ = zip(*(m.groups() for m in found if m), strict=True)
    assert names[0].startswith("this project, ")
    assert names[1:] == (
        "plain, fp32, PNG, no workers", "plain, fp32, PNG, 2 workers",
        "plain, fp32, decoded pictures",
    )  # fmt: skip
    for speed, ratio in zip(speeds, ratios, strict=True):
        assert float(ratio) == pytest.approx(float(speeds[0]) / float(speed), rel=0.02, abs=0.01)
    assert max(map(float, losses)) < 2 * min(map(float, losses))


@pytest.mark.parametrize("options", [["--steps", "0"], ["--patch", "48"], ["--device", "gpu"]])
def test_what_cannot_be_timed_is_exit_code_2(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_pictures(tmp_path, 1, 96, 80)
    assert run(monkeypatch, tmp_path, *options) == 2
