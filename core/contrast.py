"""Pictures of equal contrast: what the 2014 paper's CIFAR-10 players see.

Each picture is brought to mean 0 and variance 1. So that pictures stay pictures everywhere else,
such a number ``v`` is kept as ``0.5 + v / 6``, where nearly all of them lie in [0, 1].
"""

import torch
from torch import Tensor, nn

__all__ = ["Contrasted", "from_contrast", "normalise_contrast", "to_contrast"]

_SPAN = 6.0


def to_contrast(pictures: Tensor) -> Tensor:
    """Return the numbers of mean 0 and variance 1 that pictures stand for."""
    return (pictures - 0.5) * _SPAN


def from_contrast(values: Tensor) -> Tensor:
    """Return the pictures that stand for such numbers."""
    return values / _SPAN + 0.5


def normalise_contrast(pictures: Tensor) -> Tensor:
    """Bring each picture ``[N, ...]`` to equal mean and contrast; an even one becomes grey."""
    flat = pictures.flatten(1)
    centred = flat - flat.mean(dim=1, keepdim=True)
    deviation = centred.square().mean(dim=1, keepdim=True).sqrt()
    values = torch.where(deviation > 1e-8, centred / deviation.clamp(min=1e-8), centred)
    return from_contrast(values.reshape(pictures.shape))


class Contrasted(nn.Module):
    """A player that works on such numbers, made to give or take pictures."""

    def __init__(self, network: nn.Module, *, gives: bool) -> None:
        """Wrap a generator, which gives pictures, or a discriminator, which takes them."""
        super().__init__()
        self.network = network
        self.gives = gives

    def forward(self, x: Tensor) -> Tensor:
        """Apply the network."""
        result: Tensor = (
            from_contrast(self.network(x)) if self.gives else self.network(to_contrast(x))
        )
        return result
