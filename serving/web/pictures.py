"""What the page shows of pictures: a thumbnail, and two to compare, both of a bearable size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np

from serving.codec.decode import decode
from serving.codec.encode import encode
from serving.codec.formats import ImageFormat
from serving.codec.picture import Metadata, Picture
from serving.pipeline.upscaler import DEFAULT_MAX_INPUT_PIXELS, DEFAULT_MAX_OUTPUT_PIXELS
from serving.pixels import Pixels
from serving.resize import resize_strips
from serving.stages import Stages
from serving.strips import Strips
from serving.tasks import TaskPool

# What a phone's browser shows twice without trouble.
MAX_SHOWN_PIXELS = 2**22
_THUMBNAIL_PIXELS = 320 * 240
_MIDDLE = 640, 480  # at its full size on most screens
_REACH = 2  # of the cubic, in pixels
_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture before and after, as two JPEG files of the same size.

    Attributes:
        before: enlarged by bicubic interpolation.
        after: the result.
    """

    before: Path
    after: Path


@dataclass(frozen=True, slots=True)
class Comparison:
    """What there is to compare.

    Attributes:
        whole: all of the picture.
        reduced_to: its width and height, where the result has more pixels than are shown.
        middle: a part of it at the result's own size, where the whole is reduced.
    """

    whole: Pair
    reduced_to: tuple[int, int] | None = None
    middle: Pair | None = None


def open_picture(path: Path, most: int = DEFAULT_MAX_INPUT_PIXELS) -> Picture:
    """A file's picture, of so many pixels at most; they are read as they are drawn.

    Raises:
        InvalidImage: it is none, or damaged; that may also be found while strips are drawn.
        ImageTooLarge: it has more pixels.
        OSError: it cannot be read.
    """
    return decode(path.read_bytes(), most)


def thumbnail(picture: Picture, pool: TaskPool) -> bytes:
    """A small JPEG file, on white where the picture is transparent."""
    size = _within(picture.strips, _THUMBNAIL_PIXELS)
    return b"".join(_jpeg(picture, enlarged(picture.strips, *size, pool)))


def compare(source: Path, result: Path, folder: Path, pool: TaskPool) -> Comparison:
    """Writes what is to be compared into `folder`.

    Args:
        source: the picture's file.
        result: the file of what was made of it, a whole number of times larger.
        folder: where JPEG files go.
        pool: where strips are computed.
    """
    before, after = open_picture(source), open_picture(result, DEFAULT_MAX_OUTPUT_PIXELS)
    width, height = after.strips.width, after.strips.height
    shown = _within(after.strips, MAX_SHOWN_PIXELS)
    whole = Pair(
        _write(folder / "before.jpg", before, enlarged(before.strips, *shown, pool)),
        _write(folder / "after.jpg", after, enlarged(after.strips, *shown, pool)),
    )
    if shown == (width, height):
        return Comparison(whole)
    before, after = open_picture(source), open_picture(result, DEFAULT_MAX_OUTPUT_PIXELS)
    one, other = middle(before.strips, after.strips, pool)
    detail = Pair(
        _write(folder / "middle_before.jpg", before, one),
        _write(folder / "middle_after.jpg", after, other),
    )
    return Comparison(whole, shown, detail)


def middle(source: Strips, result: Strips, pool: TaskPool) -> tuple[Strips, Strips]:
    """The middle of a picture, enlarged by bicubic interpolation, and that of the result."""
    scale = result.width // source.width
    side, other = (max(1, length // scale) for length in _MIDDLE)
    width, height = min(side, source.width), min(other, source.height)
    left, top = (source.width - width) // 2, (source.height - height) // 2
    # Interpolation looks a little further than the part that is shown.
    before, above = min(_REACH, left), min(_REACH, top)
    around = cropped(source, left - before, top - above, width + 2 * before, height + 2 * above)
    larger = enlarged(around, scale * around.width, scale * around.height, pool)
    size = scale * width, scale * height
    return (
        cropped(larger, scale * before, scale * above, *size),
        cropped(result, scale * left, scale * top, *size),
    )


def cropped(strips: Strips, left: int, top: int, width: int, height: int) -> Strips:
    """A part of a picture; what is below it is not read."""

    def parts() -> Iterator[Pixels]:
        below = 0
        for part in strips.parts:
            rows = part[max(0, top - below) : max(0, top + height - below)]
            below += len(part)
            if len(rows):
                yield rows[:, left : left + width]
            if below >= top + height:
                return

    return replace(strips, width=width, height=height, parts=parts())


def enlarged(strips: Strips, width: int, height: int, pool: TaskPool) -> Strips:
    """The picture by bicubic interpolation, 8 bits a sample."""
    return resize_strips(strips, height, width, np.uint8, pool, Stages())


def _within(strips: Strips, most: int) -> tuple[int, int]:
    """Width and height of the picture, made smaller in proportion to have `most` pixels at most."""
    factor = min(1.0, sqrt(most / (strips.width * strips.height)))
    return max(1, int(strips.width * factor)), max(1, int(strips.height * factor))


def _write(path: Path, picture: Picture, strips: Strips) -> Path:
    with path.open("wb") as file:
        file.writelines(_jpeg(picture, strips))
    return path


def _jpeg(picture: Picture, strips: Strips) -> Iterator[bytes]:
    # The profile says what the colours mean; where or by whom it was taken is nobody's business.
    return encode(strips, ImageFormat.JPEG, Metadata(icc=picture.metadata.icc), _QUALITY)
