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


def _check_shares(shares: tuple[float, ...], count: int) -> None:
    if len(shares) != count or not min(shares) >= 0 or not 0 < sum(shares) < math.inf:
        raise ValueError(f"shares must be {count} numbers from 0, not {shares}")


def _check_probability(name: str, probability: float) -> None:
    _check_range(name, (probability, probability), 0.0, 1.0)


def _check_size(size: tuple[int, int]) -> None:
    _check_range("size", size, 1)
    if size[0] % 2 == 0 or size[1] % 2 == 0:
        raise ValueError(f"size must be odd, not {size}")


def _check_around_one(name: str, bounds: Range) -> None:
    if not 0 < bounds[0] <= 1 <= bounds[1] < math.inf:
        raise ValueError(f"{name} must lie on both sides of 1, not {bounds}")


@dataclass(frozen=True)
class Blur:
    """A random low-pass for each picture.

    Attributes:
        probability: that a batch is blurred at all.
        size: odd bounds of the kernel's side, in pixels.
        sigma: bounds of the standard deviations, in pixels.
        shares: how often each shape is drawn: isotropic, anisotropic, generalised isotropic,
            generalised anisotropic, plateau isotropic, plateau anisotropic, sinc.
        generalised_beta: bounds of the exponent of generalised Gaussians; half lie below 1.
        plateau_beta: bounds of the exponent of plateaus; half lie below 1, or at it.
    """

    probability: float = 1.0
    size: tuple[int, int] = (7, 21)
    sigma: Range = (0.2, 3.0)
    shares: tuple[float, ...] = (0.405, 0.225, 0.108, 0.027, 0.108, 0.027, 0.1)
    generalised_beta: Range = (0.5, 4.0)
    plateau_beta: Range = (1.0, 2.0)

    def __post_init__(self) -> None:
        _check_probability("probability", self.probability)
        _check_size(self.size)
        _check_range("sigma", self.sigma, 1e-3)
        _check_shares(self.shares, 7)
        _check_around_one("generalised_beta", self.generalised_beta)
        _check_around_one("plateau_beta", self.plateau_beta)

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Blur each picture with a kernel of its own shape and size."""
        if not draw.chance(self.probability):
            return picture
        count = len(picture)
        sizes = draw.odds(count, self.size)
        largest = max(sizes)
        shape = torch.tensor(draw.choices(count, self.shares), device=picture.device)
        sigma_x, sigma_y = draw.uniforms(count, self.sigma), draw.uniforms(count, self.sigma)
        angle = draw.uniforms(count, (-math.pi, math.pi))
        # Isotropic shapes are those of even index; sinc, the last, has no axes.
        sigma_y = torch.where(shape % 2 == 0, sigma_x, sigma_y)
        shoulder = draw.around_one(count, self.generalised_beta)
        tail = draw.around_one(count, self.plateau_beta)
        small = torch.tensor([size < 13 for size in sizes], device=picture.device)
        least = torch.where(small, math.pi / 3, math.pi / 5)
        cutoff = torch.lerp(least, torch.full_like(least, math.pi), draw.uniforms(count, (0, 1)))
        candidates = (
            kernels.anisotropic(largest, sigma_x, sigma_y, angle),
            kernels.generalised_gaussian(largest, sigma_x, sigma_y, angle, shoulder),
            kernels.plateau(largest, sigma_x, sigma_y, angle, tail),
            kernels.sinc(largest, cutoff),
        )
        kind = (shape // 2).view(-1, 1, 1)
        kernel = candidates[0]
        for index, candidate in enumerate(candidates[1:], start=1):
            kernel = torch.where(kind == index, candidate, kernel)
        return filter2d(picture, kernels.cropped(kernel, sizes), border_type="replicate")


@dataclass(frozen=True)
class Sinc:
    """A last ringing low-pass, as over-sharpened and compressed pictures have it.

    Attributes:
        probability: that a picture is filtered.
        size: odd bounds of the kernel's side.
    """

    probability: float = 0.8
    size: tuple[int, int] = (7, 21)

    def __post_init__(self) -> None:
        _check_probability("probability", self.probability)
        _check_size(self.size)

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Filter pictures with a size and a cut-off of their own, or leave them."""
        count = len(picture)
        filtered = draw.chances(count, self.probability).view(-1, 1, 1, 1)
        sizes = draw.odds(count, self.size)
        cutoff = draw.uniforms(count, (math.pi / 3, math.pi))
        kernel = kernels.cropped(kernels.sinc(max(sizes), cutoff), sizes)
        return torch.where(filtered, filter2d(picture, kernel, border_type="replicate"), picture)


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
        _check_shares(self.shares, 3)

    def __call__(self, picture: Tensor, draw: Draw, base: tuple[int, int] | None = None) -> Tensor:
        """Resize by area, bilinear or bicubic interpolation.

        The factor is one on the sides ``base``, where they are given, instead of the picture's own.
        """
        (what,) = draw.choices(1, self.shares)
        bounds = ((1.0, self.factor[1]), (self.factor[0], 1.0), (1.0, 1.0))[what]
        factor = draw.uniform(bounds)
        sides = [max(1, round(side * factor)) for side in base or picture.shape[-2:]]
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
        gaussian: probability that a batch has Gaussian noise rather than Poisson's.
        grey: probability that a picture's noise is the same in all channels.
        sigma: bounds of the Gaussian's standard deviation, in levels of 255.
        poisson_scale: bounds of the factor on Poisson noise.
    """

    gaussian: float = 0.5
    grey: float = 0.4
    sigma: Range = (1.0, 30.0)
    poisson_scale: Range = (0.05, 3.0)

    def __post_init__(self) -> None:
        _check_probability("gaussian", self.gaussian)
        _check_probability("grey", self.grey)
        _check_range("sigma", self.sigma, 0.0)
        _check_range("poisson_scale", self.poisson_scale, 0.0)

    def __call__(self, picture: Tensor, draw: Draw) -> Tensor:
        """Add noise of a strength of its own to each picture."""
        count = len(picture)
        grey = draw.chances(count, self.grey).view(-1, 1, 1, 1)
        if draw.chance(self.gaussian):
            strength = draw.uniforms(count, self.sigma).view(-1, 1, 1, 1) / 255
            coloured = draw.normal(picture.shape)
            noise = torch.where(grey, coloured[:, :1], coloured)
        else:
            strength = draw.uniforms(count, self.poisson_scale).view(-1, 1, 1, 1)
            seen = picture.clamp(0, 1)
            noise = torch.where(
                grey, _shot_noise(seen.mean(dim=1, keepdim=True), draw), _shot_noise(seen, draw)
            )
        return (picture + strength * noise).clamp(0, 1)


def _shot_noise(picture: Tensor, draw: Draw) -> Tensor:
    """Return the noise of a sensor that counts 255 photons where a picture is white."""
    rates = picture * 255
    return (draw.poisson(rates) - rates) / 255


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
