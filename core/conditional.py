"""Generation by class: both players are told the class (Mirza and Osindero 2014).

The 2014 paper names it as its first extension: a conditional model p(x | c) comes from giving c to
both players as an input.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.game import Batch, NoiseGame

__all__ = ["ClassDiscriminator", "ClassGame", "ClassGenerator"]


class ClassGenerator(nn.Module):
    """A generator that takes the class as further noise: a one-hot vector."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        """Wrap a network whose noise vector is longer by ``classes``."""
        super().__init__()
        self.network = network
        self.classes = classes

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Map ``[N, latent_size]`` and int64 ``[N]`` to pictures ``[N, C, H, W]``."""
        pictures: Tensor = self.network(
            torch.cat([z, F.one_hot(labels, self.classes).to(z.dtype)], dim=1)
        )
        return pictures


class ClassDiscriminator(nn.Module):
    """A discriminator that is shown the class beside the picture.

    A convolutional network sees it as one plane for each class, filled with 0 or 1; a fully
    connected one as a one-hot vector.
    """

    def __init__(self, network: nn.Module, classes: int, *, planes: bool) -> None:
        """Wrap a network that takes ``classes`` more channels, or more numbers."""
        super().__init__()
        self.network = network
        self.classes = classes
        self.planes = planes

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Map ``[N, C, H, W]`` and int64 ``[N]`` to logits ``[N, 1]``."""
        classes = F.one_hot(labels, self.classes).to(x.dtype)
        if self.planes:
            shown = torch.cat([x, classes[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)
        else:
            shown = torch.cat([x.flatten(1), classes], dim=1)
        logits: Tensor = self.network(shown)
        return logits


class ClassGame(NoiseGame):
    """The game of the 2014 paper with a class for each sample: a batch's labels."""

    def fake(self, batch: Batch) -> Tensor:
        """Return ``G(z, c)`` for the classes of ``batch``, for fresh noise."""
        fake: Tensor = self.generator(self.noise(len(batch.real), batch.real.device), batch.cond)
        return fake

    def score(self, sample: Tensor, batch: Batch) -> Tensor:
        """Return ``D(sample, c)``: logits ``[N, 1]``."""
        logits: Tensor = self.discriminator(sample, batch.cond)
        return logits
