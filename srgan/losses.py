"""What pulls at the generator beside the discriminator: distances to the true picture, as terms."""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.phase import Forward, Term
from core.schedule import Schedule

__all__ = ["PixelLoss", "perceptual_term", "pixel_term"]

PixelLoss = Literal["l1", "mse"]

_DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": F.l1_loss, "mse": F.mse_loss}


def pixel_term(loss: PixelLoss, weight: float | Schedule = 1.0) -> Term:
    """Return the mean absolute or squared difference of pixels as a term."""
    distance = _DISTANCES[loss]
    return Term("pixel", lambda forward: distance(forward.fake.float(), forward.real), weight)


def perceptual_term(features: nn.Module, weight: float | Schedule = 1.0) -> Term:
    """Return the mean squared difference of feature maps, summed over the maps, as a term.

    Args:
        features: maps pictures ``[N, 3, H, W]`` in [0, 1] to a list of feature maps.
        weight: the term's factor.
    """

    def function(forward: Forward) -> Tensor:
        with torch.no_grad():
            wanted = features(forward.real)
        got = features(forward.fake)
        parts = [F.mse_loss(g.float(), w.float()) for g, w in zip(got, wanted, strict=True)]
        return torch.stack(parts).sum()

    return Term("perceptual", function, weight)
