"""Curves: a line for each run, in its colour, of a size that does not grow with the run."""

import xml.etree.ElementTree as ET

import pytest

from core.report.curves import COLORS, panel, thinned


def test_few_points_stay_as_they_are() -> None:
    points = [(1.0, 2.0), (2.0, 4.0)]
    assert thinned(points) == points


def test_of_many_points_neighbours_are_averaged() -> None:
    points = [(float(step), float(step % 2)) for step in range(1000)]
    shown = thinned(points, most=100)
    assert len(shown) == 100
    assert shown[0] == pytest.approx((4.5, 0.5))
    assert shown[-1] == pytest.approx((994.5, 0.5))


def test_each_run_has_a_line_in_its_own_colour() -> None:
    svg = panel({0: [(0, 1.0), (10, 2.0)], 2: [(0, 1.0), (10, 3.0)]})
    ET.fromstring(svg)
    assert [color in svg for color in COLORS[:4]] == [True, False, True, False]


def test_a_long_run_makes_no_larger_picture() -> None:
    sizes = [len(panel({0: [(s, float(s % 7)) for s in range(n)]})) for n in (1000, 10_000)]
    assert sizes[1] < 1.2 * sizes[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_leave_a_gap(value: float) -> None:
    ET.fromstring(panel({0: [(0, 1.0), (1, value), (2, 1.0)]}))
    ET.fromstring(panel({0: [(0, value)]}))


def test_the_same_curve_gives_the_same_bytes() -> None:
    assert panel({0: [(0, 1.0), (1, 2.0)]}) == panel({0: [(0, 1.0), (1, 2.0)]})
