"""What pulls at the generator beside the discriminator, as named terms of its phase."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.phase import Forward, Term
from core.schedule import Schedule
from srgan.grid import repeating
from srgan.stlpips import ShiftTolerantLPIPS

__all__ = [
    "LARGEST_SHIFT",
    "Distance",
    "charbonnier",
    "colour_term",
    "frequency_term",
    "grid_term",
    "lpips_term",
    "perceptual_term",
    "pixel_term",
    "teacher_term",
    "total_variation",
    "total_variation_term",
]

Distance = Literal["l1", "charbonnier", "mse"]
Weight = float | Schedule


def charbonnier(got: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean of ``sqrt(d^2 + 1e-6)``: L1, but smooth at 0 (Lai et al. 2017)."""
    return ((got - wanted).square() + 1e-6).sqrt().mean()


_DISTANCES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"l1": F.l1_loss, "charbonnier": charbonnier, "mse": F.mse_loss}
)


def pixel_term(distance: Distance, weight: Weight = 1.0) -> Term:
    """Return the distance of pixels in [0, 1] as a term."""
    measure = _DISTANCES[distance]
    return Term("pixel", lambda forward: measure(forward.fake.float(), forward.real), weight)


_COLOUR_WINDOW = 8  # low-resolution pixels a side; patches have at least that many
LARGEST_SHIFT = 7  # pixels; the coarsest grid of the installed feature network has a step of 8


def _shifted(*pictures: Tensor) -> list[Tensor]:
    """Cut the same random few rows and columns off the top and left of each picture."""
    most = min(LARGEST_SHIFT, *(side // 2 - 1 for side in pictures[0].shape[-2:]))
    top, left = torch.randint(most + 1, (2,)).tolist()
    return [picture[..., top:, left:] for picture in pictures]


def perceptual_term(features: nn.Module, distance: Distance = "mse", weight: Weight = 1.0) -> Term:
    """Return the distance of feature maps, summed over the maps, as a term.

    A network that strides sees a picture on a grid, and a generator learns to paint that grid where
    it is not looked at. So the pictures are shifted at random under the grid, both alike, and lose
    up to ``LARGEST_SHIFT`` rows and columns.

    Args:
        features: maps pictures ``[N, 3, H, W]`` in [0, 1] to a list of feature maps.
        distance: of two maps, a mean over their elements.
        weight: the term's factor.
    """
    measure = _DISTANCES[distance]

    def function(forward: Forward) -> Tensor:
        real, fake = _shifted(forward.real, forward.fake)
        with torch.no_grad():
            wanted = features(real)
        got = features(fake)
        parts = [measure(g.float(), w.float()) for g, w in zip(got, wanted, strict=True)]
        return torch.stack(parts).sum()

    return Term("perceptual", function, weight)


def teacher_term(
    teacher: Callable[[Tensor], Tensor], distance: Distance = "l1", weight: Weight = 1.0
) -> Term:
    """Return the distance to what another upscaler makes of the same LR pictures, as a term.

    A small network learns more from a large one's pictures than from photographs alone, whose
    finest detail no network can know (Hinton et al. 2015; for super-resolution, He et al. 2020).

    Args:
        teacher: maps LR pictures float32 ``[N, 3, h, w]`` in [0, 1] to HR ones.
        distance: of pixels.
        weight: the term's factor.
    """
    measure = _DISTANCES[distance]

    def function(forward: Forward) -> Tensor:
        assert forward.batch.cond is not None
        with torch.no_grad():
            wanted = teacher(forward.batch.cond)
        return measure(forward.fake.float(), wanted.float())

    return Term("teacher", function, weight)


def lpips_term(metric: ShiftTolerantLPIPS, weight: Weight = 1.0) -> Term:
    """Return shift-tolerant LPIPS as a term."""
    return Term("lpips", lambda forward: metric(forward.fake, forward.real).mean(), weight)


def frequency_term(weight: Weight = 1.0) -> Term:
    """Return the mean absolute difference of the two-dimensional spectra as a term.

    Spectra are orthonormal, so that the term is of the pixel loss's size (Cho et al. 2021).
    """

    def function(forward: Forward) -> Tensor:
        difference = torch.fft.rfft2(forward.fake.float() - forward.real, norm="ortho")
        return torch.view_as_real(difference).abs().mean()

    return Term("frequency", function, weight)


def grid_term(scale: int, weight: Weight = 1.0) -> Term:
    """Return the mean size of the error that repeats from square to square, as a term.

    Args:
        scale: side in pixels of the square of a low-resolution pixel.
        weight: the term's factor.
    """

    def function(forward: Forward) -> Tensor:
        return repeating(forward.fake.float() - forward.real, scale).abs().mean()

    return Term("grid", function, weight)


def colour_term(scale: int, weight: Weight = 1.0) -> Term:
    """Return the mean distance of colours, averaged over 8x8 low-resolution pixels, as a term.

    Of the result's from the input's, not from the original's: noise that was cut off at black has
    lightened a picture, and a network that learns the way back darkens all pictures.

    Args:
        scale: output side over input side.
        weight: the term's factor.
    """

    def function(forward: Forward) -> Tensor:
        assert forward.batch.cond is not None
        wanted = F.avg_pool2d(forward.batch.cond, _COLOUR_WINDOW)
        return F.l1_loss(F.avg_pool2d(forward.fake.float(), scale * _COLOUR_WINDOW), wanted)

    return Term("colour", function, weight)


def total_variation(picture: Tensor) -> Tensor:
    """Return the mean absolute difference of neighbours, across and down, of ``[N, C, H, W]``."""
    across = (picture[..., :, 1:] - picture[..., :, :-1]).abs().mean()
    down = (picture[..., 1:, :] - picture[..., :-1, :]).abs().mean()
    return across + down


def total_variation_term(weight: Weight = 1.0) -> Term:
    """Return the generated picture's total variation (Rudin et al. 1992) as a term."""
    return Term("total_variation", lambda forward: total_variation(forward.fake.float()), weight)
