"""The discriminator of Real-ESRGAN (Wang et al. 2021): a U-Net that judges every pixel."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["UNetDiscriminator"]


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding=1, bias=False))


class UNetDiscriminator(nn.Module):
    """Three halvings and three doublings with skips; spectral normalisation between ends.

    Any picture size; sides that are not multiples of 8 are resized on the way up.
    """

    def __init__(self, channels: int = 3, width: int = 64) -> None:
        """Build it for pictures of ``channels`` channels."""
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            _convolution(width * 2**level, width * 2 ** (level + 1), 4, 2) for level in range(3)
        )
        self.up = nn.ModuleList(
            _convolution(width * 2 ** (level + 1), width * 2**level, 3, 1)
            for level in reversed(range(3))
        )
        self.refine = nn.Sequential(
            _convolution(width, width, 3, 1),
            nn.LeakyReLU(0.2),
            _convolution(width, width, 3, 1),
            nn.LeakyReLU(0.2),
        )
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """Map pictures ``[N, channels, H, W]``, sides of at least 8, to logits ``[N, 1, H, W]``."""
        x = F.leaky_relu(self.first(picture), 0.2)
        levels = [x]
        for halve in self.down:
            x = F.leaky_relu(halve(x), 0.2)
            levels.append(x)
        x = levels.pop()
        for judge in self.up:
            skip = levels.pop()
            x = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = F.leaky_relu(judge(x), 0.2) + skip
        logits: Tensor = self.last(self.refine(x))
        return logits
