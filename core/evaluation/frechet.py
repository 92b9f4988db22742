"""Distances between two clouds of features: Fréchet's and the kernel's.

The features are whatever network's the caller has; figures compare only under the same network.
"""

import torch
from torch import Tensor, nn

__all__ = ["frechet_distance", "kernel_distance"]


class _Given(nn.Identity):
    """A network that was run before: what it is asked about are the features already."""

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.num_features = features.shape[1]


@torch.no_grad()
def frechet_distance(one: Tensor, other: Tensor) -> float:
    """Return the squared Fréchet distance of two normal fits (FID, Heusel et al. 2017).

    Args:
        one: features ``[N, D]``, N > D for a covariance of full rank.
        other: features ``[M, D]``.
    """
    # Imported here because it takes a second.
    from torchmetrics.image.fid import FrechetInceptionDistance

    distance = FrechetInceptionDistance(_Given(one)).to(one.device)
    distance.update(one.double(), real=True)
    distance.update(other.double(), real=False)
    return float(distance.compute())


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
