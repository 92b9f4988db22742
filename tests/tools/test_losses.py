"""Losses are told crop by crop: the mean over photographs, the worst over all that can be seen."""

import math

import pytest

from tools.losses import CropLoss, Losses

ONE = CropLoss("one", True, 30.0, 29.9)
TWO = CropLoss("two", True, 40.0, 39.7)
DARK = CropLoss("two, dark", False, 50.0, 44.5)


def test_the_mean_is_over_photographs_and_the_worst_over_all() -> None:
    losses = Losses((ONE, TWO, DARK))
    assert losses.mean == pytest.approx(0.2)
    assert losses.worst is DARK
    assert losses.above(0.4) == 1
    assert losses.above(0.2) == 2
    assert losses.above(0.5) == 0


def test_above_45_db_nothing_counts() -> None:
    assert DARK.visible == pytest.approx(0.5)
    assert CropLoss("even", False, 60.0, 45.0).visible == 0
    assert TWO.visible == pytest.approx(0.3)


def test_a_crop_without_error_is_no_infinite_loss() -> None:
    black = CropLoss("black", True, math.inf, 50.0)
    assert black.visible == 0
    assert Losses((ONE, black)).mean == pytest.approx(0.1)


def test_what_is_no_number_is_the_worst() -> None:
    broken = CropLoss("broken", True, 30.0, math.nan)
    losses = Losses((ONE, broken, TWO))
    assert losses.worst is broken
    assert math.isnan(losses.mean)
    assert losses.above(9) == 1
