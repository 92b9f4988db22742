"""The checkerboard: found where it is, not where there is texture, and whatever its strength."""

import math

import pytest
import torch
from torch import Tensor

from srgan.grid import grid_share, repeating


@pytest.fixture
def texture() -> Tensor:
    return 0.5 + 0.02 * torch.randn(1, 3, 128, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def pattern() -> Tensor:
    return torch.tensor([[1.0, -1], [-1, 1]]).repeat(64, 48).expand(1, 3, -1, -1)


@pytest.mark.parametrize("scale", [2, 4])
def test_texture_has_no_grid_and_a_checkerboard_is_all_grid(
    scale: int, texture: Tensor, pattern: Tensor
) -> None:
    assert grid_share(texture, scale) < 0.01
    assert grid_share(0.5 + 0.01 * pattern, scale) == pytest.approx(1, abs=1e-3)


def test_a_share_is_one_of_energy(texture: Tensor, pattern: Tensor) -> None:
    grey = texture.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    strength = float(grey.std())
    assert grid_share(grey + strength * pattern, 4) == pytest.approx(0.5, abs=0.05)
    assert grid_share(grey + strength / 3 * pattern, 4) == pytest.approx(0.1, abs=0.02)


def test_a_ramp_is_no_detail() -> None:
    ramp = torch.linspace(0, 1, 80, dtype=torch.float64).expand(1, 3, 60, 80)
    assert float(repeating(ramp, 4).std(dim=1).min()) > 0  # though it is the same in each square
    noise = 1e-4 * torch.randn(60, 80, generator=torch.Generator().manual_seed(0))
    assert grid_share(ramp + noise, 4) < 0.01


def test_where_there_is_no_detail_or_no_room_there_is_no_figure() -> None:
    assert math.isnan(grid_share(torch.full((1, 3, 64, 64), 0.5, dtype=torch.float64), 4))
    assert math.isnan(grid_share(torch.rand(1, 3, 39, 64), 4))
