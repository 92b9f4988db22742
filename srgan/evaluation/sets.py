"""Sets of pictures to measure on: low-resolution inputs, with their originals or without."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.command import UserError
from srgan.cache import read_rgb
from srgan.patches import as_tensor
from srgan.resize import imresize_uint8
from srgan.sources import list_pictures

__all__ = ["Sample", "evaluation_pairs", "inputs", "pairs"]


@dataclass(frozen=True)
class Sample:
    """One picture to upscale.

    Attributes:
        name: of its file.
        lr: float32 ``[1, 3, H, W]`` in [0, 1].
        hr: the original, float32 ``[1, 3, scale * H, scale * W]`` in [0, 1]; None without one.
    """

    name: str
    lr: Tensor
    hr: Tensor | None = None


def pairs(folder: Path, scale: int) -> Iterator[Sample]:
    """Yield the pictures of a set with their originals.

    Args:
        folder: HR/ and LRx2/ or LRx4/ inside, or pictures, which are reduced with MATLAB's bicubic.
        scale: an original's side over its input's.

    Raises:
        UserError: if the folder holds no pictures, or a picture has no twin of the right size.
        ValueError: if a picture cannot be read.
    """
    published = folder / "HR"
    for path in list_pictures(published if published.is_dir() else folder):
        hr = as_tensor([read_rgb(path)])
        height, width = (side // scale * scale for side in hr.shape[-2:])
        hr = hr[..., :height, :width]
        twins = folder / f"LRx{scale}"
        if published.is_dir() and twins.is_dir():
            twin = twins / path.name
            if not twin.is_file():
                raise UserError(f"{path} has no low-resolution twin {twin}")
            lr = as_tensor([read_rgb(twin)])
        else:
            lr = imresize_uint8(hr.mul(255).round().to(torch.uint8), 1 / scale).float() / 255
        if [scale * side for side in lr.shape[-2:]] != [height, width]:
            raise UserError(f"{path} is not {scale} times as large as its low-resolution twin")
        yield Sample(path.name, lr, hr)


def inputs(folder: Path) -> Iterator[Sample]:
    """Yield the pictures of a folder, which are themselves what is upscaled.

    Raises:
        UserError: if the folder holds no pictures.
        ValueError: if a picture cannot be read.
    """
    for path in list_pictures(folder):
        yield Sample(path.name, as_tensor([read_rgb(path)]))


def evaluation_pairs(folder: Path, scale: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``(lr, hr)`` of each of :func:`pairs`."""
    for sample in pairs(folder, scale):
        assert sample.hr is not None
        yield sample.lr, sample.hr
