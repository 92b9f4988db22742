"""Files whose offsets do not fit into 32 bits, told from their heads."""

from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from serving.codec import tiff
from serving.codec.decode import decode
from serving.codec.exif import MARKER
from serving.codec.formats import ImageFormat
from serving.codec.picture import Metadata
from serving.codec.tiff import encode_tiff
from serving.strips import Strips
from tests.serving.files import checker, read_tiff

ROWS = 10
GIB = 1 << 30


def head(sizes: list[int], metadata: Metadata = Metadata()) -> bytes:  # noqa: B008 (frozen)
    strips = Strips(ROWS * len(sizes), 9, 3, np.uint8, iter(()))
    return tiff._head(strips, metadata, ROWS, sizes)


@pytest.mark.parametrize(
    ("sizes", "big"),
    [
        ([5], False),
        ([GIB] * 3, False),
        ([GIB] * 4, True),
        ([3 * GIB, 3 * GIB], True),
        ([GIB] * 400, True),
    ],
)
def test_only_what_passes_4_gib_is_a_bigtiff(sizes: list[int], big: bool) -> None:
    file = head(sizes)
    with tifffile.TiffFile(BytesIO(file)) as opened:
        page = opened.pages.first
        assert opened.is_bigtiff == big
        assert page.databytecounts == tuple(sizes)
        starts = [len(file) + sum(sizes[:at]) for at in range(len(sizes))]
        assert page.dataoffsets == tuple(starts)


def test_the_head_counts_too() -> None:
    length = len(head([5, 5]))
    most = 2**32 - 1 - 2 * GIB
    # The head of a BigTIFF is the longer one, so that some that would just fit become one.
    assert head([2 * GIB, most - 2 * length])[2] == 42
    assert head([2 * GIB, most - length])[2] == 43


def test_a_bigtiff_holds_pixels_and_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "_LONGEST_CLASSIC", 0)
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "A. Painter"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.8
    metadata = Metadata(b"profile", exif.tobytes().removeprefix(MARKER), (300, 150), b"<x/>")
    for height in (6, 60_000):  # of one strip, and of several
        pixels = checker(4, np.uint16, height)
        file = b"".join(encode_tiff(Strips.of(pixels), metadata))
        assert file.startswith(b"II\x2b\0")
        assert np.array_equal(read_tiff(file), pixels)
        picture = decode(file, 10**6)
        assert picture.format is ImageFormat.TIFF
        assert np.array_equal(picture.strips.whole(), pixels)
        assert picture.metadata == metadata
