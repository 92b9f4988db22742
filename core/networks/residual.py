"""A small residual pair without normalisation, after the players of R3GAN (Huang et al. 2024)."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.dcgan import halvings

__all__ = ["ResidualDiscriminator", "ResidualGenerator"]


class _Block(nn.Module):
    """Two 3x3 convolutions beside an identity; it starts near the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        # Not zero, of which there is no spectral norm to divide by.
        nn.init.normal_(self.second.weight, 0.0, 1e-3)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]  # it has one

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.first(F.leaky_relu(x, 0.2)), 0.2)
        branch: Tensor = self.second(hidden)
        return x + branch


def _widths(width: int, count: int) -> list[int]:
    """Return the channels at each resolution, the highest first; they grow to four times."""
    return [width * min(2**number, 4) for number in range(count + 1)]


class ResidualGenerator(nn.Module):
    """A linear layer to a small plane, then blocks with a doubling between them."""

    def __init__(self, latent_size: int, shape: tuple[int, int, int], width: int) -> None:
        """Make pictures of ``shape``; there are ``width`` channels at full resolution."""
        super().__init__()
        count, side = halvings(shape[1])
        widths = _widths(width, count)
        layers: list[nn.Module] = [
            nn.Linear(latent_size, widths[-1] * side**2),
            nn.Unflatten(1, (widths[-1], side, side)),
        ]
        for inputs, outputs in zip(widths[:0:-1], widths[-2::-1], strict=True):
            layers += [
                _Block(inputs),
                nn.Upsample(scale_factor=2, mode="bilinear"),
                nn.Conv2d(inputs, outputs, 1),
            ]
        layers += [_Block(width), nn.LeakyReLU(0.2), nn.Conv2d(width, shape[0], 3, padding=1)]
        self.layers = nn.Sequential(*layers, nn.Sigmoid())

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``[N, latent_size]`` to pictures ``[N, C, H, W]`` in (0, 1)."""
        pictures: Tensor = self.layers(z)
        return pictures


class ResidualDiscriminator(nn.Module):
    """The generator's mirror image: blocks with an averaging by two between them, one logit."""

    def __init__(self, channels: int, side: int, width: int) -> None:
        """Take square pictures; there are ``width`` channels at full resolution."""
        super().__init__()
        count, last = halvings(side)
        widths = _widths(width, count)
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1)]
        for inputs, outputs in pairwise(widths):
            layers += [_Block(inputs), nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1)]
        layers += [_Block(widths[-1]), nn.LeakyReLU(0.2), nn.Flatten()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1] * last**2, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures ``[N, C, H, W]`` in [0, 1] to logits ``[N, 1]``."""
        logits: Tensor = self.layers(2 * x - 1)
        return logits
