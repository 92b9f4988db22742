"""The game: what the two players see. Everything that is special to a task is in its game."""

from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

__all__ = ["Batch", "Game", "Noise", "NoiseGame", "draw_noise"]

Noise = Literal["gaussian", "uniform"]


class Batch(NamedTuple):
    """Samples of the data and what they are conditioned on.

    Attributes:
        real: ``[N, ...]`` samples of the data.
        cond: None, labels, or a picture for each sample: what the generator is given beside noise.
    """

    real: Tensor
    cond: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """Return the same batch on ``device``."""
        cond = None if self.cond is None else self.cond.to(device, non_blocking=True)
        return Batch(self.real.to(device, non_blocking=True), cond)


class Game(Protocol):
    """A generator and a discriminator, and how each is applied to a batch."""

    @property
    def generator(self) -> nn.Module:
        """The player that makes samples."""

    @property
    def discriminator(self) -> nn.Module:
        """The player that tells them from data."""

    def fake(self, batch: Batch) -> Tensor:
        """Return G's samples for a batch, shaped like ``batch.real``."""

    def score(self, sample: Tensor, batch: Batch) -> Tensor:
        """Return D's logits for samples, real or fake, that belong to ``batch``."""


def draw_noise(
    kind: Noise,
    count: int,
    size: int,
    device: torch.device | str = "cpu",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw z of unit variance: float32 ``[count, size]``, normal or uniform on ±√3."""
    if kind == "gaussian":
        return torch.randn(count, size, device=device, generator=generator)
    return (2 * torch.rand(count, size, device=device, generator=generator) - 1) * 3**0.5


class NoiseGame:
    """Goodfellow et al. 2014: G maps noise to samples, D sees nothing but a sample."""

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        latent_size: int,
        kind: Noise = "gaussian",
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.latent_size = latent_size
        self.kind: Noise = kind

    def noise(self, count: int, device: torch.device) -> Tensor:
        """Draw z: float32 ``[count, latent_size]`` of unit variance."""
        return draw_noise(self.kind, count, self.latent_size, device)

    def fake(self, batch: Batch) -> Tensor:
        """Return ``G(z)`` with as many samples as ``batch.real``, for fresh noise."""
        fake: Tensor = self.generator(self.noise(len(batch.real), batch.real.device))
        return fake

    def score(self, sample: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002 - unconditional
        """Return ``D(sample)``: logits ``[N, 1]``."""
        logits: Tensor = self.discriminator(sample)
        return logits
