"""SRResNet, the generator of SRGAN (Ledig et al. 2017, figure 4)."""

import math

from torch import Tensor, nn

from srgan.generators.base import Generator

__all__ = ["SRResNet"]


class _ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.layers(x)
        return x + residual


def _doubling(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU())


class SRResNet(Generator):
    """Residual blocks with batch normalisation at low resolution, then pixel shuffles by two."""

    def __init__(self, scale: int = 4, width: int = 64, blocks: int = 16) -> None:
        """Build the network; the defaults are the paper's.

        Raises:
            ValueError: if ``scale`` is not a power of two above 1.
        """
        super().__init__()
        if scale < 2 or scale & (scale - 1):
            raise ValueError(f"srresnet's scale must be a power of two from 2, not {scale}")
        doublings = int(math.log2(scale))
        self.scale = scale
        self.width = width
        self.blocks = blocks
        # 9x9 head; two 3x3 a block and one after them; one at each rung up; 9x9 tail at full size.
        upward = sum(2.0**-rung for rung in range(doublings))
        self.halo = math.ceil(4 + 2 * blocks + 1 + upward + 4 / scale)
        self.head = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(
            *(_ResidualBlock(width) for _ in range(blocks)),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.upsample = nn.Sequential(*(_doubling(width) for _ in range(doublings)))
        self.tail = nn.Conv2d(width, 3, 9, padding=4)

    @property
    def macs_per_lr_pixel(self) -> int:
        """Multiply-adds for each input pixel."""
        body = 81 * 3 * self.width + (2 * self.blocks + 1) * 9 * self.width**2
        rungs = int(math.log2(self.scale))
        upsample = sum(4**rung * 9 * self.width * 4 * self.width for rung in range(rungs))
        return int(body + upsample + self.scale**2 * 81 * self.width * 3)

    def forward(self, lr: Tensor) -> Tensor:
        """Map float ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``, unclipped."""
        shallow = self.head(lr)
        hr: Tensor = self.tail(self.upsample(shallow + self.body(shallow)))
        return hr
