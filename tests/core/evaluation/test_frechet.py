"""Distances of feature clouds against closed forms."""

import pytest
import torch

from core.evaluation.frechet import frechet_distance, kernel_distance


def test_the_frechet_distance_of_normal_clouds_is_the_closed_form() -> None:
    """``(m1 - m2)^2 + (s1 - s2)^2`` in each of independent coordinates."""
    random = torch.Generator().manual_seed(0)
    unit = torch.randn(200_000, 3, generator=random, dtype=torch.float64)
    other = unit * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([1.0, 0.0, -2.0])
    assert frechet_distance(unit, other) == pytest.approx(1 + 4 + 1 + 0.25, rel=0.02)


def test_it_does_not_change_when_both_clouds_turn() -> None:
    one, other = torch.randn(500, 6), torch.randn(400, 6) * torch.rand(6) + 1
    turn = torch.linalg.qr(torch.randn(6, 6)).Q
    turned = frechet_distance(one @ turn, other @ turn)
    assert turned == pytest.approx(frechet_distance(one, other), rel=1e-4)


def test_a_cloud_is_at_no_distance_from_itself_also_where_it_is_flat() -> None:
    flat = torch.randn(50, 2) @ torch.randn(2, 8)
    assert frechet_distance(flat, flat) == pytest.approx(0.0, abs=1e-4)


def test_the_kernel_distance_is_its_definition() -> None:
    a, b = torch.randn(4, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)

    def kernel(x: torch.Tensor, y: torch.Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    inner = [
        sum(kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j)
        / (len(x) * (len(x) - 1))
        for x in (a, b)
    ]
    between = sum(kernel(x, y) for x in a for y in b) / 20
    assert kernel_distance(a, b) == pytest.approx(sum(inner) - 2 * between)


def test_the_kernel_distance_of_equal_distributions_is_zero_on_average() -> None:
    torch.manual_seed(0)
    distances = [kernel_distance(torch.randn(60, 4), torch.randn(60, 4)) for _ in range(200)]
    mean, far = sum(distances) / 200, kernel_distance(torch.randn(60, 4), torch.randn(60, 4) + 1)
    assert abs(mean) < 0.05 < far
    assert min(distances) < 0
