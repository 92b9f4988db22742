"""The light generators: made for processors, and for 8-bit integers on them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srgan.generators.base import Generator

__all__ = ["Light", "Plain"]


class ResidualBlock(nn.Module):
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
        """Map ``[N, width, H, W]`` to the same shape."""
        residual: Tensor = self.second(self.relu(self.first(x)))
        return x + residual

    @torch.no_grad()
    def pass_through(self) -> None:
        """Become the identity, one that can learn."""
        self.second.weight.zero_()
        _zero_bias(self.second)


class PlainBlock(nn.Module):
    """Two 3x3 convolutions, each with a ReLU, which start near the identity.

    That start is what skips around blocks are for (Zagoruyko and Komodakis 2017, DiracNets; Ding et
    al. 2021, RepVGG, fold the skip into the kernel in the end). What a block before gives is never
    negative, so the identity lets it all through.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.first_relu = nn.ReLU()
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.second_relu = nn.ReLU()
        for convolution in (self.first, self.second):
            _near_identity(convolution, 0.3)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, width, H, W]`` to the same shape, of values from 0."""
        result: Tensor = self.second_relu(self.second(self.first_relu(self.first(x))))
        return result

    def pass_through(self) -> None:
        """Become the identity, one that can learn."""
        for convolution in (self.first, self.second):
            _near_identity(convolution, 0.0)


@torch.no_grad()
def _near_identity(convolution: nn.Conv2d, share: float) -> None:
    """Make a convolution the identity plus a share of what it is."""
    identity = nn.init.dirac_(torch.empty_like(convolution.weight))
    convolution.weight.mul_(share).add_(identity)
    _zero_bias(convolution)


def _zero_bias(convolution: nn.Conv2d) -> None:
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


class Light(Generator):
    """Residual 3x3 blocks at low resolution, one pixel shuffle, and a nearest-neighbour skip.

    Everything that a runtime cannot fuse into an integer convolution is kept out: activations are
    ReLU, widths are multiples of 16, joins are few. The skip from input to output leaves the
    network a residual with a small range, which survives rounding to 8 bits.
    """

    block: type[ResidualBlock] | type[PlainBlock] = ResidualBlock

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
        self.body = nn.Sequential(*(self.block(width) for _ in range(blocks)))
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
        residual = F.pixel_shuffle(self.tail(self.features(self.head(lr))), self.scale)
        return residual + F.interpolate(lr, scale_factor=float(self.scale), mode="nearest")

    def features(self, head: Tensor) -> Tensor:
        """Map what the first convolution makes to what the last one takes."""
        result: Tensor = self.body(head)
        return result


class Plain(Light):
    """The light generator without skips around its blocks: one around all of them is left.

    From identities it learns faster than residual blocks do.
    """

    block = PlainBlock

    def features(self, head: Tensor) -> Tensor:
        """Map what the first convolution makes to what the last one takes."""
        return head + super().features(head)
