"""Fidelity and diversity apart, by nearest neighbours among features."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Neighbourhood", "compare_neighbourhoods"]

_BLOCK = 1000


@dataclass(frozen=True)
class Neighbourhood:
    """Shares in [0, 1].

    Attributes:
        precision: samples that lie within the data's support (Kynkäänniemi et al. 2019).
        recall: data that lie within the samples' support (the same).
        coverage: data that have a sample among their nearest neighbours (Naeem et al. 2020).
    """

    precision: float
    recall: float
    coverage: float


def _radii(points: Tensor, k: int) -> Tensor:
    """Return each point's distance to its k-th nearest other point."""
    parts = [
        torch.cdist(chunk, points).kthvalue(k + 1, dim=1).values for chunk in points.split(_BLOCK)
    ]
    return torch.cat(parts)


def _inside(points: Tensor, centres: Tensor, radii: Tensor) -> float:
    """Return the share of points that lie in any of the balls."""
    parts = [(torch.cdist(chunk, centres) <= radii).any(dim=1) for chunk in points.split(_BLOCK)]
    return float(torch.cat(parts).float().mean())


@torch.no_grad()
def compare_neighbourhoods(
    samples: Tensor, data: Tensor, *, support_k: int = 3, coverage_k: int = 5
) -> Neighbourhood:
    """Compare samples with data; the neighbours' numbers are the two papers'.

    Args:
        samples: features ``[N, D]``.
        data: features ``[M, D]``.
        support_k: a support is the union of balls that reach to so many neighbours.
        coverage_k: a datum is covered by a sample no farther than so many other data.

    Raises:
        ValueError: if there are no more points than neighbours.
    """
    if min(len(samples), len(data)) <= max(support_k, coverage_k):
        raise ValueError(f"more than {max(support_k, coverage_k)} samples and data are needed")
    reach = _radii(data, coverage_k)
    nearest = torch.cat(
        [torch.cdist(chunk, samples).min(dim=1).values for chunk in data.split(_BLOCK)]
    )
    return Neighbourhood(
        precision=_inside(samples, data, _radii(data, support_k)),
        recall=_inside(data, samples, _radii(samples, support_k)),
        coverage=float((nearest <= reach).float().mean()),
    )
