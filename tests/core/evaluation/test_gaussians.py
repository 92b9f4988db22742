"""The 25 Gaussians: counting modes, and a quick round of the comparison."""

import pytest
import torch

from core.evaluation.gaussians import (
    DEVIATION,
    OBJECTIVES,
    GaussiansConfig,
    GridBatches,
    compare,
    grid,
    modes_found,
    play,
)


def test_data_find_all_modes_and_nearly_all_lie_within() -> None:
    found = modes_found(GridBatches(2500, seed=0).batch(0).real)
    assert found.modes == 25
    # of two dimensions: 1 - exp(-9/2) lie within three deviations
    assert found.inside == pytest.approx(0.989, abs=0.01)


def test_points_between_modes_find_none() -> None:
    found = modes_found(grid() + 1.0)
    assert (found.modes, found.inside) == (0, 0.0)


def test_one_mode_is_one() -> None:
    found = modes_found(grid()[7] + torch.tensor([[0.0, 0.0], [2.9 * DEVIATION, 0.0]]))
    assert (found.modes, found.inside) == (1, 1.0)


def test_batches_depend_on_seed_and_index_alone() -> None:
    one = GridBatches(5, 1)
    assert torch.equal(one.batch(3).real, GridBatches(5, 1).batch(3).real)
    assert not torch.equal(one.batch(3).real, one.batch(4).real)
    assert not torch.equal(one.batch(3).real, GridBatches(5, 2).batch(3).real)


@pytest.mark.slow
def test_a_regularised_relativistic_game_finds_most_modes_quickly() -> None:
    assert play(OBJECTIVES["relativistic-paired + R1 + R2"], seed=0, steps=600).modes >= 15


def test_the_table_has_a_row_for_each_objective(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(GaussiansConfig(steps=2, seeds=1))
    lines = capsys.readouterr().out.splitlines()
    assert [line[:32].strip() for line in lines] == ["objective", *OBJECTIVES]
