"""Sets of pictures to measure on: low-resolution inputs, with their originals or without."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from core.picture_files import read_rgb
from srgan.cache import read_pair
from srgan.degradations import DEGRADATIONS, DegradationName, damaged
from srgan.pairs import PictureFile, pair_up
from srgan.patches import as_tensor
from srgan.sources import list_pictures, originals

__all__ = ["Pair", "Sample", "distinct", "inputs", "pair_files", "pairs", "titled"]


@dataclass(frozen=True)
class Sample:
    """A picture to upscale.

    Attributes:
        name: of its file, with the way to it from the set's folder.
        lr: float32 ``[1, 3, H, W]`` in [0, 1].
    """

    name: str
    lr: Tensor


@dataclass(frozen=True)
class Pair(Sample):
    """A picture to upscale whose original is known.

    Attributes:
        hr: the original, float32 ``[1, 3, scale * H, scale * W]`` in [0, 1].
    """

    hr: Tensor


def pair_files(
    folder: Path, scale: int, degradation: DegradationName = "bicubic"
) -> list[PictureFile]:
    """Return the files that :func:`pairs` reads.

    Raises:
        UserError: if the folder holds no pictures, or a picture has no twin.
    """
    large, small = originals(folder), folder / f"LRx{scale}"
    paths = list_pictures(large)
    if degradation == "bicubic" and large != folder and small.is_dir():
        return pair_up(paths, large, list_pictures(small), small, scale)
    return [PictureFile(path) for path in paths]


def pairs(folder: Path, scale: int, degradation: DegradationName = "bicubic") -> Iterator[Pair]:
    """Yield the pictures of a set with their originals, by name.

    Args:
        folder: pictures, or ``HR`` inside with pictures, and ``LRx4`` (by scale) with inputs.
        scale: an original's side over its input's.
        degradation: what makes inputs of originals; bicubic is MATLAB's, and takes those of
            ``LRx4`` where they are. The same one comes of the same picture at the same place, call
            by call.

    Raises:
        UserError: if the folder holds no pictures, or a picture has no twin of the right size.
        PictureError: if a picture cannot be read, or is smaller than ``scale``.
    """
    files = pair_files(folder, scale, degradation)
    for index, file in enumerate(files):
        hr, lr = (as_tensor([pixels]) for pixels in read_pair(file, scale))
        if degradation != "bicubic":
            lr = damaged(hr, DEGRADATIONS[degradation], scale, index)
        yield Pair(file.hr.relative_to(originals(folder)).as_posix(), lr, hr)


def distinct(paths: Sequence[Path]) -> list[str]:
    """Return a name for each path: its last parts, as few as tell it from the others.

    A path that is given twice has one name.
    """
    # Not resolved: a link keeps its own name.
    places = [Path(os.path.abspath(path)).parts for path in paths]  # noqa: PTH100
    others = set(places)

    def name(parts: tuple[str, ...]) -> str:
        for count in range(1, len(parts)):
            tail = parts[-count:]
            if sum(other[-count:] == tail for other in others) == 1:
                return "/".join(tail)
        return "/".join(parts[1:])

    return [name(parts) for parts in places]


def titled(name: str, degradation: DegradationName) -> str:
    """Return a set's name, with what its inputs have suffered if that is not the usual."""
    return name if degradation == "bicubic" else f"{name}, {degradation}"


def inputs(folder: Path, scale: int) -> Iterator[Sample]:
    """Yield the pictures of a set that are themselves what is upscaled, by name.

    Args:
        folder: pictures, or ``LRx4`` (by scale) inside with pictures, or else ``HR``.
        scale: of what upscales them.

    Raises:
        UserError: if the folder holds no pictures.
        PictureError: if a picture cannot be read.
    """
    small = folder / f"LRx{scale}"
    place = small if small.is_dir() else originals(folder)
    for path in list_pictures(place):
        yield Sample(path.relative_to(place).as_posix(), as_tensor([read_rgb(path)]))
