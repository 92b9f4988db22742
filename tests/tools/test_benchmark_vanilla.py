"""The vanilla benchmark: a row for each loop, and the plain one is the measure."""

import re

import pytest

from core.command import UserError
from tools.benchmark_vanilla import VanillaBenchmarkConfig, benchmark_vanilla


def test_each_loop_has_a_row_and_is_compared_with_the_plain_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert benchmark_vanilla(VanillaBenchmarkConfig(steps=2, rounds=1, device="cpu"))
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("paper-mnist, cpu: 1 threads")
    found = [re.fullmatch(r"(.+?) +([\d.]+) +([\d.]+)", row) for row in rows]
    names, seconds, ratios = zip(*(m.groups() for m in found if m), strict=True)
    assert names == ("plain", "this project", "with smoothing and the watch")
    for taken, ratio in zip(seconds, ratios, strict=True):
        assert float(ratio) == pytest.approx(float(taken) / float(seconds[0]), rel=0.02)


def test_no_steps_cannot_be_timed() -> None:
    with pytest.raises(UserError, match="--steps must be at least 1, not 0"):
        VanillaBenchmarkConfig(steps=0)
