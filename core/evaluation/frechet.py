"""Distances between two clouds of features: Fréchet's and the kernel's.

The features are whatever network's the caller has; figures compare only under the same network.
"""

import torch
from torch import Tensor

__all__ = ["frechet_distance", "kernel_distance"]


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    points = features.double()
    return points.mean(dim=0), points.T.cov()


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root


@torch.no_grad()
def frechet_distance(one: Tensor, other: Tensor) -> float:
    """Return the squared Fréchet distance of two normal fits (FID, Heusel et al. 2017).

    Args:
        one: features ``[N, D]``, N > D for a covariance of full rank.
        other: features ``[M, D]``.
    """
    mean_one, covariance_one = _moments(one)
    mean_other, covariance_other = _moments(other)
    root = _root(covariance_one)
    # The root of A B has the trace of the root of the symmetric A^(1/2) B A^(1/2).
    values = torch.linalg.eigvalsh(root @ covariance_other @ root).clamp(min=0)
    traces = covariance_one.trace() + covariance_other.trace() - 2 * values.sqrt().sum()
    return float((mean_one - mean_other).square().sum() + traces)


@torch.no_grad()
def kernel_distance(one: Tensor, other: Tensor) -> float:
    """Return the squared maximum mean discrepancy (KID, Binkowski et al. 2018), without bias.

    The kernel is ``(x . y / D + 1)^3``. It is zero on average for equal distributions, so a single
    figure may be negative.

    Args:
        one: features ``[N, D]``, N > 1.
        other: features ``[M, D]``, M > 1.
    """
    a, b = one.double(), other.double()
    size = a.shape[1]

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / size + 1) ** 3

    def within(x: Tensor) -> Tensor:
        values = kernel(x, x)
        return (values.sum() - values.trace()) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())
