"""The Parzen score against the direct formula, and where that formula fails."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from core.evaluation.parzen import SIGMAS, log_densities, parzen_score


def direct(samples: Tensor, points: Tensor, sigma: float) -> Tensor:
    """The mixture's log-density, written as it is defined."""
    size = samples.shape[1]
    norm = (2 * math.pi * sigma**2) ** (-size / 2)
    distances = (points[:, None] - samples[None]).square().sum(dim=2)
    density: Tensor = (norm * torch.exp(-distances / (2 * sigma**2))).mean(dim=1)
    return density.log()


@pytest.mark.parametrize("sigma", [0.2, 0.7, 1.5])
@pytest.mark.parametrize("block", [1, 7, 500])
def test_it_is_the_direct_formula_in_any_blocks(sigma: float, block: int) -> None:
    random = torch.Generator().manual_seed(0)
    samples = torch.randn(40, 3, generator=random, dtype=torch.float64)
    points = torch.randn(23, 3, generator=random, dtype=torch.float64)
    (got,) = log_densities(samples, points, [sigma], block)
    assert torch.allclose(got, direct(samples, points, sigma), rtol=1e-10)


def test_it_is_finite_where_the_direct_formula_underflows() -> None:
    samples, points = torch.zeros(5, 784), torch.ones(2, 784)
    sigma = 1 / math.sqrt(2 * math.pi)  # of unit norm in any dimension
    (got,) = log_densities(samples, points, [sigma])
    assert torch.isinf(direct(samples.double(), points.double(), sigma)).all()
    assert got.tolist() == pytest.approx([-784 / (2 * sigma**2)] * 2)


def test_many_widths_at_once_are_each_on_their_own() -> None:
    samples, points = torch.rand(9, 2, 3), torch.rand(4, 2, 3)
    together = log_densities(samples, points, SIGMAS)
    apart = torch.cat([log_densities(samples, points, [sigma]) for sigma in SIGMAS])
    assert torch.equal(together, apart)


def test_the_width_is_chosen_on_validation_and_the_error_is_the_means() -> None:
    random = torch.Generator().manual_seed(1)
    # One sample at 0 and points with a spread of 0.3: the likeliest of the widths is near 0.3.
    validation, test = (0.3 * torch.randn(2000, 4, generator=random) for _ in range(2))
    score = parzen_score(torch.zeros(1, 4), validation, test)
    assert score.sigma == min(SIGMAS, key=lambda sigma: abs(math.log(sigma / 0.3)))
    (densities,) = log_densities(torch.zeros(1, 4), test, [score.sigma])
    assert score.mean == pytest.approx(float(densities.mean()))
    assert score.standard_error == pytest.approx(float(densities.std()) / 2000**0.5)


def test_the_widths_are_the_published_ones() -> None:
    assert len(SIGMAS) == 10
    assert (SIGMAS[0], SIGMAS[-1]) == (0.1, 1.0)
    ratios = [b / a for a, b in pairwise(SIGMAS)]
    assert ratios == pytest.approx([10 ** (1 / 9)] * 9)


def test_it_is_written_as_in_the_papers_table() -> None:
    score = parzen_score(torch.zeros(1, 2), torch.zeros(2, 2), torch.zeros(2, 2), [0.5])
    assert str(score) == "-0 ± 0.0 (sigma 0.500)"


@pytest.mark.parametrize(("count", "sigma"), [(0, 0.1), (3, 0.0), (3, -1.0)])
def test_nothing_to_compare_with_is_refused(count: int, sigma: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        log_densities(torch.zeros(count, 2), torch.zeros(1, 2), [sigma])
