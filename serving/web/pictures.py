"""What the page shows of pictures: a thumbnail, and two to compare, both of a bearable size."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np

from serving.codec.decode import decode
from serving.codec.encode import encode
from serving.codec.formats import ImageFormat
from serving.codec.picture import Metadata, Picture
from serving.resize import resize_strips
from serving.stages import Stages
from serving.strips import Strips
from serving.tasks import TaskPool

# What a phone's browser shows twice without trouble.
MAX_SHOWN_PIXELS = 2**22
_MAX_PIXELS = 2**31  # The service has judged the picture before.
_THUMBNAIL_PIXELS = 320 * 240
_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Comparison:
    """A picture before and after, as two JPEG files of the same size.

    Attributes:
        before: enlarged by bicubic interpolation.
        after: the result.
        reduced_to: width and height of both, where the result has more pixels than are shown.
    """

    before: Path
    after: Path
    reduced_to: tuple[int, int] | None


def open_picture(path: Path) -> Picture:
    """A file's picture; its pixels are read as they are drawn.

    Raises:
        InvalidImage: it is none, or damaged; that may also be found while strips are drawn.
        OSError: it cannot be read.
    """
    return decode(path.read_bytes(), _MAX_PIXELS)


def thumbnail(picture: Picture, pool: TaskPool) -> bytes:
    """A small JPEG file, on white where the picture is transparent."""
    width, height = _within(picture.strips, _THUMBNAIL_PIXELS)
    return b"".join(_jpeg(picture, width, height, pool))


def compare(source: Path, result: Path, folder: Path, pool: TaskPool) -> Comparison:
    """Writes what is to be compared into `folder`.

    Args:
        source: the picture's file.
        result: the file of what was made of it.
        folder: where the two files go.
        pool: where strips are computed.
    """
    picture = open_picture(result)
    whole = picture.strips.width, picture.strips.height
    width, height = _within(picture.strips, MAX_SHOWN_PIXELS)
    before, after = folder / "before.jpg", folder / "after.jpg"
    for path, shown in ((after, picture), (before, open_picture(source))):
        with path.open("wb") as file:
            file.writelines(_jpeg(shown, width, height, pool))
    return Comparison(before, after, None if (width, height) == whole else (width, height))


def enlarged(picture: Picture, width: int, height: int, pool: TaskPool) -> Strips:
    """The picture by bicubic interpolation, 8 bits a sample."""
    return resize_strips(picture.strips, height, width, np.uint8, pool, Stages())


def _within(strips: Strips, most: int) -> tuple[int, int]:
    """Width and height of the picture, made smaller in proportion to have `most` pixels at most."""
    factor = min(1.0, sqrt(most / (strips.width * strips.height)))
    return max(1, int(strips.width * factor)), max(1, int(strips.height * factor))


def _jpeg(picture: Picture, width: int, height: int, pool: TaskPool) -> Iterator[bytes]:
    # The profile says what the colours mean; where or by whom it was taken is nobody's business.
    metadata = Metadata(icc=picture.metadata.icc)
    strips = enlarged(picture, width, height, pool)
    return encode(strips, ImageFormat.JPEG, metadata, _QUALITY)
