"""The light generators: made for processors, and for 8-bit integers on them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srgan.generators.base import Generator

__all__ = ["Gated", "Light"]


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a ReLU between them, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(width, width, 3, padding=1)
        # Starting near the identity lets a deep stack learn at a high rate from the first step.
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.second(self.relu(self.first(x)))
        return x + residual


class _GatedBlock(_ResidualBlock):
    """A residual block whose result also weighs the sum, by half to one and a half."""

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.second(self.relu(self.first(x)))
        return (x + residual) * (1 + residual.clamp(-0.5, 0.5))


class Light(Generator):
    """Residual 3x3 blocks at low resolution, one pixel shuffle, and a nearest-neighbour skip.

    Everything that a runtime cannot fuse into an integer convolution is kept out: activations are
    ReLU, widths are multiples of 16, joins are few. The skip from input to output leaves the
    network a residual with a small range, which survives rounding to 8 bits.
    """

    _block: type[_ResidualBlock] = _ResidualBlock

    def __init__(self, scale: int = 4, width: int = 32, blocks: int = 4) -> None:
        """Build the network.

        Raises:
            ValueError: if ``scale`` is below 2 or ``width`` is not a multiple of 16.
        """
        super().__init__()
        name = type(self).__name__.lower()
        if scale < 2:
            raise ValueError(f"{name}'s scale must be at least 2, not {scale}")
        if width < 16 or width % 16:
            raise ValueError(f"{name}'s width must be a multiple of 16, not {width}")
        self.scale = scale
        self.width = width
        self.halo = 2 * blocks + 2
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*(self._block(width) for _ in range(blocks)))
        self.tail = nn.Conv2d(width, 3 * scale**2, 3, padding=1)
        with torch.no_grad():
            self.tail.weight.mul_(0.1)

    @property
    def macs_per_lr_pixel(self) -> int:
        """Multiply-adds for each input pixel."""
        convolutions = (m for m in self.modules() if isinstance(m, nn.Conv2d))
        return sum(convolution.weight.numel() for convolution in convolutions)

    def forward(self, lr: Tensor) -> Tensor:
        """Map float ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``, unclipped."""
        residual = F.pixel_shuffle(self.tail(self.body(self.head(lr))), self.scale)
        return residual + F.interpolate(lr, scale_factor=float(self.scale), mode="nearest")


class Gated(Light):
    """The light generator with attention that has no parameters (SPAN, Wan et al. 2024).

    What a block finds decides how much of the picture so far it lets through. SPAN's sigmoid is a
    clamp here, and its products keep close to their factors, since integers do both fast and
    without loss.
    """

    _block = _GatedBlock
