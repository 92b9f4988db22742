"""What is measured: PSNR and SSIM on luma and RGB, perceptual distances, NIQE, checkerboards."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.command import UserError
from srgan.grid import grid_share
from srgan.lpips import LPIPS
from srgan.metrics import crop_border, luma, psnr, ssim
from srgan.niqe import OWN_MODEL, PristineModel, niqe
from srgan.stlpips import ShiftTolerantLPIPS

__all__ = ["Measure", "checkerboard", "distances", "fidelity", "naturalness", "st_lpips"]

logger = logging.getLogger(__name__)

Compare = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class Measure:
    """One figure of an upscaled picture.

    Attributes:
        name: its key in JSON.
        title: above its column.
        decimals: that are shown.
        higher_is_better: else lower is.
        value: of a picture and its original (None where it has none), float64 ``[1, 3, H, W]`` in
            [0, 1], rounded to the levels of a file. Infinite or NaN where there is no such figure;
            a ValueError for a picture that is too small.
    """

    name: str
    title: str
    decimals: int
    higher_is_better: bool
    value: Callable[[Tensor, Tensor | None], float]


def _against_original(compare: Compare) -> Callable[[Tensor, Tensor | None], float]:
    def value(picture: Tensor, hr: Tensor | None) -> float:
        assert hr is not None
        return compare(picture, hr)

    return value


def fidelity(border: int) -> tuple[Measure, ...]:
    """Return PSNR (dB) and SSIM on luma and on RGB, without ``border`` pixels at each side."""

    def cropped(compare: Compare, plane: Callable[[Tensor], Tensor]) -> Compare:
        return lambda *pictures: compare(*(plane(crop_border(p, border)) for p in pictures))

    def whole(rgb: Tensor) -> Tensor:
        return rgb

    return (
        Measure("psnr_y", "PSNR-Y", 2, True, _against_original(cropped(psnr, luma))),
        Measure("ssim_y", "SSIM-Y", 4, True, _against_original(cropped(ssim, luma))),
        Measure("psnr_rgb", "PSNR-RGB", 2, True, _against_original(cropped(psnr, whole))),
        Measure("ssim_rgb", "SSIM-RGB", 4, True, _against_original(cropped(ssim, whole))),
    )


def _distance(name: str, title: str, network: Callable[[Tensor, Tensor], Tensor]) -> Measure:
    def compare(picture: Tensor, hr: Tensor) -> float:
        height, width = picture.shape[-2:]
        if min(height, width) < 32:
            raise ValueError(f"{title} needs sides of at least 32 pixels, not {width}x{height}")
        with torch.no_grad():
            return float(network(picture.float(), hr.float()))

    return Measure(name, title, 4, False, _against_original(compare))


def st_lpips() -> tuple[Measure, Measure]:
    """Return shift-tolerant LPIPS on whole pictures, by its two networks: VGG and AlexNet."""
    return (
        _distance("st_lpips", "ST-LPIPS", ShiftTolerantLPIPS("vgg")),
        _distance("st_lpips_alex", "ST-LPIPS-A", ShiftTolerantLPIPS("alex")),
    )


def distances() -> tuple[Measure, ...]:
    """Return the perceptual distances whose weights can be had; the log says which cannot."""
    found = [*st_lpips()]
    try:
        found.append(_distance("lpips", "LPIPS", LPIPS()))
    except UserError as error:
        logger.warning("the column LPIPS is left out: %s", error)
    return tuple(found)


def checkerboard(scale: int) -> Measure:
    """Return the share of fine detail that repeats from input pixel to input pixel.

    It needs no original.
    """
    return Measure("grid", "Grid", 4, False, lambda picture, _: grid_share(picture, scale))


def naturalness(model: Path = OWN_MODEL) -> Measure:
    """Return NIQE against a pristine model; it needs no original.

    Raises:
        UserError: if the model cannot be read.
    """
    pristine = PristineModel.load(model)
    return Measure("niqe", "NIQE", 3, False, lambda picture, _: niqe(picture, pristine))
