"""Each proof runs, in small; those that measure no time hold even here."""

import math
import sys

import pytest

from tools.stress import hostile
from tools.stress.__main__ import main
from tools.stress.figures import Figure, percentile, report

linux = pytest.mark.skipif(sys.platform != "linux", reason="the proofs look into /proc")


def test_a_figure_says_whether_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([Figure("a", 1), Figure("b, s", 0.5, most=1), Figure("c", 2, 2, 2)])
    assert not report([Figure("d", 0.5, least=1)])
    assert not report([Figure("e", float("nan"), most=1)])
    assert capsys.readouterr().out.splitlines() == [
        "a: 1",
        "b, s: 0.5  (at most 1: holds)",
        "c: 2  (at least 2 and at most 2: holds)",
        "d: 0.5  (at least 1: FAILS)",
        "e: nan  (at most 1: FAILS)",
    ]


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile([3.0], 99) == 3
    assert math.isnan(percentile([], 99))


@linux
@pytest.mark.parametrize(
    "proof",
    [
        ["security"],
        ["sigterm", "--rounds", "1", "--clients", "2"],
        ["swap", "--rounds", "5", "--clients", "1"],
    ],
    ids=lambda proof: proof[0],
)
def test_a_proof_holds(proof: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(proof) == 0, capsys.readouterr().out


@linux
@pytest.mark.parametrize(
    ("proof", "figure"),
    [
        (["cancellation", "--rounds", "1", "--megapixels", "1"], "processor idle after it"),
        (["overload", "--seconds", "0.3"], "goodput over capacity"),
        (["fairness", "--megapixels", "0.2", "--calls", "2"], "ratio at p99"),
        (["overhead", "--side", "64", "--pictures", "2", "--turns", "1"], "ratio"),
        (["hostile", "--requests", "26", "--clients", "2"], "ended by INTERNAL or UNKNOWN: 0"),
    ],
    ids=lambda given: given[0],
)
def test_a_proof_runs(
    proof: list[str],
    figure: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hostile, "_SETTLE_S", 0.1)
    assert main(proof) in (0, 1)
    assert figure in capsys.readouterr().out
