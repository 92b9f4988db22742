"""Crops of photographs on which an 8-bit twin is calibrated and judged, the awkward ones included.

A photograph's middle is seldom even, dark or drawn. There the network errs little, so that rounding
costs the most decibels, and sharp edges between full colours make the largest activations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from core.picture_files import read_rgb, require_sides
from srgan.patches import as_tensor
from srgan.resize import imresize_uint8

__all__ = ["Crop", "awkward", "middle"]

_SIDE = 96  # of a low-resolution crop
_DARKER = 6  # times
_COLOURS = 8  # of a drawing
_SMOOTH = 5  # pixels: side of the filter that takes grain away before colours are merged

_Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """A part of a picture.

    Attributes:
        name: of the file, and what was made of it.
        lr: float32 ``[1, 3, H, W]`` in [0, 1].
        hr: the same, ``scale`` times as large.
        is_photograph: whether it is as it was taken.
    """

    name: str
    lr: Tensor
    hr: Tensor
    is_photograph: bool = True


def middle(path: Path, scale: int) -> Crop:
    """Return the middle of a picture, whose low-resolution side is at most 96.

    Raises:
        PictureError: if it cannot be read, or nothing of it is left to judge by.
    """
    return Crop(path.name, *_pair(_middle(_read(path, scale), scale), scale))


def awkward(paths: Sequence[Path], scale: int) -> list[Crop]:
    """Return an even, a dark and a drawn crop in turn, of every other picture one."""
    crops = []
    for index, path in enumerate(paths[::2]):
        kind = [*_KINDS][index % len(_KINDS)]
        pair = _pair(_KINDS[kind](_read(path, scale), scale), scale)
        crops.append(Crop(f"{path.name}, {kind}", *pair, is_photograph=False))
    return crops


def _read(path: Path, scale: int) -> _Pixels:
    picture = read_rgb(path)
    require_sides(path, picture, 3 * scale)  # a border of the scale's width is not judged
    return picture


def _even(picture: _Pixels, scale: int) -> _Pixels:
    """The most even of the windows of half a crop's side."""
    height, width = (min(_SIDE // 2 * scale, side // scale * scale) for side in picture.shape[:2])
    windows = [
        picture[top : top + height, left : left + width]
        for top in range(0, picture.shape[0] - height + 1, height)
        for left in range(0, picture.shape[1] - width + 1, width)
    ]
    return min(windows, key=lambda window: float(window.std(axis=(0, 1)).sum()))


def _dark(picture: _Pixels, scale: int) -> _Pixels:
    return _middle(picture, scale) // _DARKER


def _drawn(picture: _Pixels, scale: int) -> _Pixels:
    """The middle in few colours with hard edges, the lightest of them white, the darkest black."""
    smooth = Image.fromarray(_middle(picture, scale)).filter(ImageFilter.MedianFilter(_SMOOTH))
    drawn = np.asarray(smooth.quantize(_COLOURS, dither=Image.Dither.NONE).convert("RGB"))
    low, high = int(drawn.min()), int(drawn.max())
    stretched = (drawn.astype(np.float32) - low) * (255 / max(1, high - low))
    result: _Pixels = stretched.round().astype(np.uint8)
    return result


_KINDS: Mapping[str, Callable[[_Pixels, int], _Pixels]] = MappingProxyType(
    {"even": _even, "dark": _dark, "drawn": _drawn}
)


def _middle(picture: _Pixels, scale: int) -> _Pixels:
    sides = [min(_SIDE * scale, side // scale * scale) for side in picture.shape[:2]]
    top, left = ((whole - side) // 2 for whole, side in zip(picture.shape[:2], sides, strict=True))
    return picture[top : top + sides[0], left : left + sides[1]]


def _pair(hr: _Pixels, scale: int) -> tuple[Tensor, Tensor]:
    target = as_tensor([hr])
    lr = imresize_uint8(target.mul(255).round().to(torch.uint8), 1 / scale)
    return lr.float() / 255, target
