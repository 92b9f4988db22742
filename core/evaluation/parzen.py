"""Gaussian Parzen-window log-likelihood: the number that the 2014 paper judges generators by.

A Gaussian of one width sits on each of the generator's samples; the score is the mean log-density
of test pictures under that mixture (Breuleux et al. 2011). It misleads: copies of training pictures
score no better than blurred averages do, and k-means centroids beat both (Theis et al. 2016), so
it is only worth something beside such references.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

__all__ = ["SIGMAS", "ParzenScore", "log_densities", "parzen_score"]

# The widths that the paper's published code chooses from.
SIGMAS: tuple[float, ...] = tuple(float(s) for s in np.logspace(-1, 0, 10))


@dataclass(frozen=True)
class ParzenScore:
    """A score in nats.

    Attributes:
        mean: log-density, averaged over the test pictures.
        standard_error: of that mean.
        sigma: width of the Gaussians, chosen on validation pictures.
    """

    mean: float
    standard_error: float
    sigma: float

    def __str__(self) -> str:
        """Write it as the paper's table does."""
        return f"{self.mean:.0f} ± {self.standard_error:.1f} (sigma {self.sigma:.3f})"


@torch.no_grad()
def log_densities(
    samples: Tensor, points: Tensor, sigmas: Sequence[float], block: int = 500
) -> Tensor:
    """Return the log-density of points under Gaussians on samples, for several widths at once.

    Distances are taken in float64 a block of points at a time and summed in the logarithm, so that
    points far from every sample get a finite value where a plain exponential would underflow.

    Args:
        samples: ``[M, ...]`` centres.
        points: ``[N, ...]`` of the same shape as a sample.
        sigmas: widths.
        block: points whose distances are held in memory at a time.

    Returns:
        float64 ``[len(sigmas), N]``, in nats.

    Raises:
        ValueError: if there is no sample, or a width is not positive.
    """
    if len(samples) == 0 or not all(sigma > 0 for sigma in sigmas):
        raise ValueError("there must be samples, and every sigma must be positive")
    centres = samples.flatten(1).double()
    size = centres.shape[1]
    lengths = centres.square().sum(dim=1)
    parts = []
    for chunk in points.flatten(1).double().split(block):
        squared = chunk.square().sum(dim=1, keepdim=True) - 2 * chunk @ centres.T + lengths
        squared.clamp_(min=0)
        rows = [
            torch.logsumexp(squared / (-2 * sigma**2), dim=1)
            - math.log(len(centres))
            - size * math.log(sigma * math.sqrt(2 * math.pi))
            for sigma in sigmas
        ]
        parts.append(torch.stack(rows))
    return torch.cat(parts, dim=1)


def parzen_score(
    samples: Tensor, validation: Tensor, test: Tensor, sigmas: Sequence[float] = SIGMAS
) -> ParzenScore:
    """Choose the width that suits the validation pictures best, and score the test pictures.

    Args:
        samples: ``[M, ...]`` from the generator, in the pictures' range; the paper takes 10,000.
        validation: ``[V, ...]`` pictures that are neither trained on nor tested on.
        test: ``[N, ...]`` pictures, at least two.
        sigmas: widths to choose from.
    """
    suits = log_densities(samples, validation, sigmas).mean(dim=1)
    sigma = sigmas[int(suits.argmax())]
    (densities,) = log_densities(samples, test, [sigma])
    error = float(densities.std()) / math.sqrt(len(densities))
    return ParzenScore(float(densities.mean()), error, sigma)
