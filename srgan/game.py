"""Super-resolution as a game: G sees a small picture, D a large one."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.game import Batch

__all__ = ["SuperResolutionGame"]


class SuperResolutionGame:
    """SRGAN's game: ``G(lr)`` against the photograph that ``lr`` was made from.

    A batch holds HR pictures as ``real`` and their LR twins as ``cond``.

    Attributes:
        conditional: whether D sees the LR twin too, enlarged and stacked onto the picture as three
            more channels, so that it also judges whether the two belong together.
    """

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, *, conditional: bool = False
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.conditional = conditional

    def fake(self, batch: Batch) -> Tensor:
        """Return ``G(lr)``, shaped like ``batch.real``."""
        fake: Tensor = self.generator(batch.cond)
        return fake

    def score(self, sample: Tensor, batch: Batch) -> Tensor:
        """Return D's logits for pictures, real or generated."""
        if self.conditional:
            assert batch.cond is not None
            small = F.interpolate(batch.cond, sample.shape[-2:], mode="nearest")
            sample = torch.cat([sample, small], dim=1)
        logits: Tensor = self.discriminator(sample)
        return logits
