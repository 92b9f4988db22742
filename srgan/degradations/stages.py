"""The stages that a picture goes through on its way to being bad: blur, resize, noise, JPEG.

Each takes and returns float32 ``[N, 3, H, W]`` in [0, 1] (blur and resize may leave it a little).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from kornia.enhance import jpeg_codec_differentiable
from kornia.filters import filter2d
from torch import Tensor

from srgan.degradations import kernels
from srgan.degradations.draw import Draw

__all__ = ["Blur", "Jpeg", "Noise", "Resize", "Sinc"]

Range = tuple[float, float]


def _check_range(name: str, bounds: Range, least: float, most: float = math.inf) -> None:
    if not least <= bounds[0] <= bounds[1] <= most:
        raise ValueError(f"{name} must rise within {least} to {most}, not {bounds}")


@dataclass(frozen=True)
class Blur:
    """A random low-pass for each picture.

    Attributes:
        probability: that a batch is blurred at all.
        size: odd bounds of the kernel's side, in pixels.
        sigma: bounds of the standard deviations, in pixels.
        shares: how often each shape is drawn: isotropic, anisotropic, generalised isotropic,
            generalised anisotropic, plateau isotropic, plateau anisotropic, sinc.
        generalised_beta: bounds of the exponent of generalised Gaussians.
        plateau_beta: bounds of the exponent of plateaus.
    """

    probability: float = 1.0
    size: tuple[int, int] = (7, 21)
    sigma: Range = (0.2, 3.0)
    shares: tuple[float, ...] = (0.405, 0.225, 0.108, 0.027, 0.108, 0.027, 0.1)
    generalised_beta: Range = (0.5, 4.0)
    plateau_beta: Range = (1.0, 2.0)

    def __post_init__(self) -> None:
        _check_range("probability", (0.0, self.probability), 0.0, 1.0)
        _check_range("size", self.size, 1)
        _check_range("sigma", self.sigma, 1e-3)
        if self.size[0] % 2 == 0 or self.size[1] % 2 == 0:
            raise ValueError(f"size must be odd, not {self.size}")
        if len(self.shares) != 7 or min(self.shares) < 0 or sum(self.shares) <= 0:
            raise ValueError(f"shares must be 7 numbers from 0, not {self.shares}")

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Blur each picture with a kernel of its own; one kernel size a batch."""
        if not draw.chance(self.probability):
            return picture
        count = len(picture)
        size = draw.odd(self.size)
        shape = torch.tensor(draw.choices(count, self.shares), device=picture.device)
        sigma_x, sigma_y = draw.uniforms(count, self.sigma), draw.uniforms(count, self.sigma)
        angle = draw.uniforms(count, (-math.pi, math.pi))
        # Isotropic shapes are those of even index; sinc, the last, has no axes.
        sigma_y = torch.where(shape % 2 == 0, sigma_x, sigma_y)
        shoulder = draw.uniforms(count, self.generalised_beta)
        tail = draw.uniforms(count, self.plateau_beta)
        cutoff = draw.uniforms(count, (math.pi / 3 if size < 13 else math.pi / 5, math.pi))
        candidates = (
            kernels.anisotropic(size, sigma_x, sigma_y, angle),
            kernels.generalised_gaussian(size, sigma_x, sigma_y, angle, shoulder),
            kernels.plateau(size, sigma_x, sigma_y, angle, tail),
            kernels.sinc(size, cutoff),
        )
        kind = (shape // 2).view(-1, 1, 1)
        kernel = candidates[0]
        for index, candidate in enumerate(candidates[1:], start=1):
            kernel = torch.where(kind == index, candidate, kernel)
        return filter2d(picture, kernel, border_type="replicate")


@dataclass(frozen=True)
class Sinc:
    """A last ringing low-pass, as over-sharpened and compressed pictures have it.

    Attributes:
        probability: that a batch is filtered.
        size: odd bounds of the kernel's side.
    """

    probability: float = 0.8
    size: tuple[int, int] = (7, 21)

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Filter each picture with a cut-off of its own."""
        if not draw.chance(self.probability):
            return picture
        cutoff = draw.uniforms(len(picture), (math.pi / 3, math.pi))
        kernel = kernels.sinc(draw.odd(self.size), cutoff)
        return filter2d(picture, kernel, border_type="replicate")


_MODES = ("area", "bilinear", "bicubic")


@dataclass(frozen=True)
class Resize:
    """A random change of size, the same for the whole batch.

    Attributes:
        shares: how often it enlarges, reduces and leaves the size.
        factor: bounds of the factor; reductions are drawn from below 1, enlargements from above.
    """

    shares: tuple[float, float, float] = (0.2, 0.7, 0.1)
    factor: Range = (0.15, 1.5)

    def __post_init__(self) -> None:
        _check_range("factor", self.factor, 0.01, 16)

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Resize by area, bilinear or bicubic interpolation."""
        (what,) = draw.choices(1, self.shares)
        bounds = ((1.0, self.factor[1]), (self.factor[0], 1.0), (1.0, 1.0))[what]
        factor = draw.uniform(bounds)
        sides = [max(1, round(side * factor)) for side in picture.shape[-2:]]
        return resize_to(picture, (sides[0], sides[1]), draw)


def resize_to(picture: Tensor, sides: tuple[int, int], draw: Draw) -> Tensor:
    """Resize to ``(H, W)`` by an interpolation drawn at random."""
    mode = _MODES[draw.choices(1, (1, 1, 1))[0]]
    if tuple(picture.shape[-2:]) == sides:
        return picture
    if mode == "area":
        return F.interpolate(picture, sides, mode="area")
    return F.interpolate(picture, sides, mode=mode, align_corners=False)


@dataclass(frozen=True)
class Noise:
    """Gaussian or Poisson noise, coloured or grey.

    Attributes:
        gaussian: probability of Gaussian noise rather than Poisson's.
        grey: probability that the noise is the same in all channels.
        sigma: bounds of the Gaussian's standard deviation, in levels of 255.
        poisson_scale: bounds of the factor on Poisson noise.
    """

    gaussian: float = 0.5
    grey: float = 0.4
    sigma: Range = (1.0, 30.0)
    poisson_scale: Range = (0.05, 3.0)

    def __post_init__(self) -> None:
        _check_range("sigma", self.sigma, 0.0)
        _check_range("poisson_scale", self.poisson_scale, 0.0)

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Add noise of a strength of its own to each picture."""
        count, grey = len(picture), draw.chance(self.grey)
        seen = picture.mean(dim=1, keepdim=True) if grey else picture
        if draw.chance(self.gaussian):
            strength = draw.uniforms(count, self.sigma).view(-1, 1, 1, 1) / 255
            noise = strength * draw.normal(seen.shape)
        else:
            strength = draw.uniforms(count, self.poisson_scale).view(-1, 1, 1, 1)
            photons = 255.0
            rates = seen.clamp(0, 1) * photons
            noise = strength * (draw.poisson(rates) - rates) / photons
        return (picture + noise).clamp(0, 1)


@dataclass(frozen=True)
class Jpeg:
    """JPEG's quantisation, 4:2:0.

    Attributes:
        quality: bounds, 1 to 100.
    """

    quality: Range = (30.0, 95.0)

    def __post_init__(self) -> None:
        _check_range("quality", self.quality, 1.0, 100.0)

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Compress each picture at a quality of its own."""
        quality = draw.uniforms(len(picture), self.quality)
        return jpeg_codec_differentiable(picture.clamp(0, 1).contiguous(), quality)
