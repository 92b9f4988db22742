"""How a low-resolution picture comes about: what the generator learns to undo.

A degradation maps HR pictures to LR ones on the device, for a whole batch: float32
``[N, 3, sH, sW]`` in [0, 1] to ``[N, 3, H, W]`` in [0, 1], rounded to 8 bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

import torch
from torch import Tensor

from srgan.degradations.draw import Draw
from srgan.degradations.stages import Blur, Jpeg, Noise, Resize, Sinc, resize_to
from srgan.resize import imresize

__all__ = [
    "DEGRADATIONS",
    "Bicubic",
    "Camera",
    "Degradation",
    "DegradationName",
    "Draw",
    "SecondOrder",
    "damaged",
]

DegradationName = Literal["bicubic", "camera", "real"]


class Degradation(Protocol):
    """A way to make LR pictures from HR ones."""

    def __call__(self, hr: Tensor, scale: int, draw: Draw) -> Tensor:
        """Return LR pictures, each side a ``scale``-th of ``hr``'s."""


def _to_levels(picture: Tensor) -> Tensor:
    return picture.clamp(0, 1).mul(255).round().div(255)


def _sides(hr: Tensor, scale: int) -> tuple[int, int]:
    return hr.shape[-2] // scale, hr.shape[-1] // scale


@dataclass(frozen=True)
class Bicubic:
    """MATLAB's antialiased bicubic: the degradation of the published benchmarks."""

    def __call__(self, hr: Tensor, scale: int, draw: Draw) -> Tensor:  # noqa: ARG002
        """Return the reduced pictures; nothing is random."""
        return _to_levels(imresize(hr, 1 / scale))


@dataclass(frozen=True)
class Camera:
    """Blur, reduction, sensor noise, JPEG: once each, as in a photograph straight from a phone."""

    blur: Blur = Blur(sigma=(0.2, 1.6), size=(3, 13))
    noise: Noise = Noise(sigma=(0.0, 10.0), poisson_scale=(0.0, 0.6))
    jpeg: Jpeg = Jpeg(quality=(50.0, 98.0))

    def __call__(self, hr: Tensor, scale: int, draw: Draw) -> Tensor:
        """Return the degraded pictures."""
        small = imresize(self.blur(hr, draw), 1 / scale)
        return _to_levels(self.jpeg(self.noise(small, draw), draw))


@dataclass(frozen=True)
class SecondOrder:
    """Two rounds of blur, resize, noise and JPEG, and a sinc filter before or after the last JPEG.

    The defaults are those of Real-ESRGAN (Wang et al. 2021, section 4.1) and of its released code,
    and so is what is drawn for each picture and what for a whole batch. It differs in that

    - photographs are degraded and aimed at as they are, where unsharp masking comes first there;
    - a patch is degraded by itself, where it is cut from a larger one afterwards;
    - a batch has the resizes, the kind of noise and the order of one draw, where a pool of 180
      pairs mixes the patches of many;
    - filters continue pictures by their last pixel, where they mirror them;
    - Poisson noise counts 255 photons for white, where it counts levels that the picture has, and
      grey noise follows the mean of the channels, where it follows luma;
    - JPEG is kornia's.
    """

    first_blur: Blur = Blur()
    first_resize: Resize = Resize()
    first_noise: Noise = Noise()
    first_jpeg: Jpeg = Jpeg()
    second_blur: Blur = Blur(probability=0.8, sigma=(0.2, 1.5))
    second_resize: Resize = Resize(shares=(0.3, 0.4, 0.3), factor=(0.3, 1.2))
    second_noise: Noise = Noise(sigma=(1.0, 25.0), poisson_scale=(0.05, 2.5))
    second_jpeg: Jpeg = Jpeg()
    sinc: Sinc = Sinc()

    def __call__(self, hr: Tensor, scale: int, draw: Draw) -> Tensor:
        """Return the degraded pictures."""
        sides = _sides(hr, scale)
        x = self.first_resize(self.first_blur(hr, draw), draw)
        x = self.first_jpeg(self.first_noise(x, draw), draw)
        # The second resize is relative to the final size, whatever the first one left.
        x = self.second_resize(self.second_blur(x, draw), draw, base=sides)
        x = self.second_noise(x, draw)
        if draw.chance(0.5):
            x = self.second_jpeg(self.sinc(resize_to(x, sides, draw), draw), draw)
        else:
            x = self.sinc(resize_to(self.second_jpeg(x, draw), sides, draw), draw)
        return _to_levels(x)


DEGRADATIONS: Mapping[DegradationName, Degradation] = MappingProxyType(
    {"bicubic": Bicubic(), "camera": Camera(), "real": SecondOrder()}
)


def damaged(hr: Tensor, degradation: Degradation, scale: int, place: int) -> Tensor:
    """Return the LR twin of the picture at a place of a collection.

    What it suffers follows from the place alone, so that runs and models compare.
    """
    return degradation(hr, scale, Draw((place,), torch.device("cpu")))
