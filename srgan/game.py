"""Super-resolution as a game: G sees a small picture, D a large one."""

import torch
import torch.nn.functional as F
from kornia.color import rgb_to_grayscale
from torch import Tensor, nn

from core.game import Batch

__all__ = ["SuperResolutionGame"]


class SuperResolutionGame:
    """SRGAN's game: ``G(lr)`` against the photograph that ``lr`` was made from.

    A batch holds HR pictures as ``real`` and their LR twins as ``cond``.

    Attributes:
        conditional: whether D sees the LR twin too, enlarged and stacked onto the picture as three
            more channels, so that it also judges whether the two belong together.
        luma: whether D sees pictures as luma alone, one channel, and leaves colour to other losses.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        conditional: bool = False,
        luma: bool = False,
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.conditional = conditional
        self.luma = luma

    @staticmethod
    def channels(*, conditional: bool, luma: bool) -> int:
        """Return how many channels D sees."""
        return (1 if luma else 3) + (3 if conditional else 0)

    def fake(self, batch: Batch) -> Tensor:
        """Return ``G(lr)``, shaped like ``batch.real``."""
        fake: Tensor = self.generator(batch.cond)
        return fake

    def score(self, sample: Tensor, batch: Batch) -> Tensor:
        """Return D's logits for pictures, real or generated."""
        if self.luma:
            sample = rgb_to_grayscale(sample)
        if self.conditional:
            assert batch.cond is not None
            small = F.interpolate(batch.cond, sample.shape[-2:], mode="nearest")
            sample = torch.cat([sample, small], dim=1)
        logits: Tensor = self.discriminator(sample)
        return logits
