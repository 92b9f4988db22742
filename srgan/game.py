"""Super-resolution as a game: G sees a small picture, D a large one."""

from torch import Tensor, nn

from core.game import Batch

__all__ = ["SuperResolutionGame"]


class SuperResolutionGame:
    """SRGAN's game: ``G(lr)`` against the photograph that ``lr`` was made from.

    A batch holds HR pictures as ``real`` and their LR twins as ``cond``.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        self.generator = generator
        self.discriminator = discriminator

    def fake(self, batch: Batch) -> Tensor:
        """Return ``G(lr)``, shaped like ``batch.real``."""
        fake: Tensor = self.generator(batch.cond)
        return fake

    def score(self, sample: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002 - D sees HR alone
        """Return ``D(sample)``: logits."""
        logits: Tensor = self.discriminator(sample)
        return logits
