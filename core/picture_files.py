"""Picture files: which there are in a folder, and their pixels."""

import os
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, TiffImageFile

from core.command import UserError

__all__ = ["SUFFIXES", "PictureError", "Pixels", "pictures_below", "read_rgb", "require_sides"]

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

Pixels = npt.NDArray[np.uint8]


class PictureError(UserError, ValueError):
    """A file is not a picture that can be used; the message names it."""


def pictures_below(folder: Path) -> list[Path]:
    """Return the files in a folder and below it that are called like pictures, by name.

    Links are followed. What is hidden, its name beginning with a dot, is left out: previews, and
    what a killed process left half-written.
    """
    found: list[Path] = []
    entered: set[str] = set()  # links may lead back
    for place, folders, files in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in entered:
            folders.clear()
            continue
        entered.add(os.path.realpath(place))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(place, name) for name in files if not name.startswith("."))
        found += [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file()]
    return sorted(found)


def _white(picture: Image.Image) -> int:
    """Return what stands for white in an opened picture, by its file's type alone.

    Raises:
        ValueError: if the file does not tell, as one of floats or of 32-bit integers does not.
    """
    tags = picture.tag_v2 if isinstance(picture, TiffImageFile) else {}
    # Older versions of Pillow open a PNG of 16 bits as if it had 32.
    sixteen = picture.mode.startswith("I;16") or (picture.mode, picture.format) == ("I", "PNG")
    if sixteen and tags.get(PHOTOMETRIC_INTERPRETATION) != 0:  # 0 for one whose white is 0
        return int(2 ** tags.get(BITSPERSAMPLE, (16,))[0] - 1)  # of 12 bits, say
    if picture.mode in ("I", "F") or sixteen:
        raise ValueError("nothing tells its white")
    return 255


def read_rgb(path: Path) -> Pixels:
    """Decode a picture, upright, as uint8 ``[H, W, 3]`` RGB in 0..255; 16 bits are rounded to 8.

    Raises:
        PictureError: if the file is not a picture that can be read in full, or not known what
            stands for white in it.
    """
    try:
        with Image.open(path) as picture:
            white = _white(picture)
            upright = ImageOps.exif_transpose(picture) or picture
            if white != 255:  # Pillow would clip
                levels = (np.asarray(upright, np.int64) * 255 + white // 2) // white
                upright = Image.fromarray(levels.astype(np.uint8))
            return np.array(upright.convert("RGB"))
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise PictureError(f"{path} cannot be read as a picture: {error}") from error


def require_sides(path: Path, picture: Pixels, least: int) -> None:
    """Refuse the picture of a file, ``[H, W, 3]``, that has a side of fewer than ``least`` pixels.

    Raises:
        PictureError: if it has.
    """
    height, width = picture.shape[:2]
    if min(height, width) < least:
        raise PictureError(
            f"{path} must have at least {least} pixels a side, and is {width}x{height}"
        )
