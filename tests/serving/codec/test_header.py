"""Files that Pillow refuses for a part beside the picture keep their format and metadata."""

import struct
import time
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from serving.cli.describe import describe
from serving.codec.decode import check_beginning, decode
from serving.codec.formats import ImageFormat
from serving.errors import ImageTooLarge, InvalidImage
from tests.serving.files import checker, pillow, png_header, read, write

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta/>"
HEADER_END = 8 + 25  # of a PNG's signature and IHDR
BOMB = b"workflow\0\0" + zlib.compress(bytes(1 << 21))


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    tags[ExifTags.Base.Artist] = "A. Painter"
    return tags


def whole(format: str, image: Image.Image | None = None) -> bytes:
    image = image or pillow(checker(3))
    return write(image, format, exif=exif(), icc_profile=SRGB, dpi=(300, 150), xmp=XMP)


def chunk(kind: bytes, content: bytes, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_chunk(inserted: bytes, data: bytes | None = None) -> bytes:
    data = data or whole("PNG")
    packet = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
    return data[:HEADER_END] + packet + inserted + data[HEADER_END:]


def with_segment(kind: int, content: bytes) -> bytes:
    data = whole("JPEG")
    return data[:2] + struct.pack(">BBH", 0xFF, kind, 2 + len(content)) + content + data[2:]


REFUSED_BY_PILLOW = {
    "png-long-text": with_chunk(chunk(b"zTXt", BOMB)),
    "png-long-international-text": with_chunk(
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(bytes(1 << 21)))
    ),
    "png-checksum": with_chunk(chunk(b"tIME", bytes(7), checksum=0)),
    "png-short-chunk": with_chunk(chunk(b"gAMA", b"")),
    "jpeg-short-adobe": with_segment(0xEE, b"Adobe"),
    "jpeg-short-jfif": with_segment(0xE0, b"JFIF\0"),
    "jpeg-empty-profile": with_segment(0xE2, b"ICC_PROFILE\0"),
    "jpeg-short-photoshop": with_segment(0xED, b"Photoshop 3.0\0" + b"8BIM\0\0"),
}


@pytest.mark.parametrize("data", REFUSED_BY_PILLOW.values(), ids=REFUSED_BY_PILLOW)
def test_what_the_picture_does_not_need_costs_no_metadata(data: bytes) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 (Pillow raises nearly anything.)
        Image.open(BytesIO(data))
    format = "PNG" if data.startswith(b"\x89PNG") else "JPEG"
    picture = decode(data, 10**6)
    assert picture.format is ImageFormat[format]
    assert np.array_equal(picture.strips.whole(), np.rot90(read(whole(format)), -1))
    metadata = picture.metadata
    assert (metadata.icc, metadata.xmp) == (SRGB, XMP)
    assert metadata.dpi == pytest.approx((150, 300), rel=1e-3)
    kept = Image.Exif()
    kept.load(metadata.exif)
    assert dict(kept) == {ExifTags.Base.Artist: "A. Painter"}
    assert describe(data).orientation == 6


@pytest.mark.parametrize("kind", [b"iCCP", b"eXIf"])
def test_metadata_with_a_wrong_checksum_are_read(kind: bytes) -> None:
    data = bytearray(whole("PNG"))
    start = data.index(kind)
    (size,) = struct.unpack_from(">I", data, start - 4)
    data[start + 4 + size] ^= 1
    picture = decode(bytes(data), 10**6)
    assert (picture.format, picture.metadata.icc) == (ImageFormat.PNG, SRGB)
    assert (picture.strips.height, picture.strips.width) == (9, 6)


def test_a_profile_longer_than_pillow_reads_is_kept() -> None:
    profile = SRGB + bytes(1 << 21)
    picture = decode(write(pillow(checker(3)), "PNG", icc_profile=profile, exif=exif()), 10**6)
    assert picture.metadata.icc == profile
    assert picture.strips.height == 9


def test_of_a_profile_without_end_nothing_is_kept() -> None:
    bomb = b"ICC\0\0" + zlib.compress(bytes(1 << 26))
    data = with_chunk(chunk(b"iCCP", bomb), write(pillow(checker(3)), "PNG"))
    assert decode(data, 10**6).metadata.icc == b""


def test_many_texts_that_are_too_long_take_no_time() -> None:
    data = with_chunk(chunk(b"zTXt", BOMB) * 10_000)
    start = time.process_time()
    assert decode(data, 10**6).format is ImageFormat.PNG
    text = chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(bytes(1 << 21)))
    assert decode(with_chunk(text * 10_000), 10**6).format is ImageFormat.PNG
    assert time.process_time() - start < 5


def test_greys_stay_grey_behind_a_long_text() -> None:
    image = pillow(checker(1)).convert("P")
    data = with_chunk(chunk(b"zTXt", BOMB), write(image, "PNG"))
    assert decode(data, 10**6).strips.channels == 1


def test_a_cmyk_jpeg_with_a_short_segment_is_read() -> None:
    data = write(pillow(checker(3)).convert("CMYK"), "JPEG")
    damaged = data[:2] + struct.pack(">BBH", 0xFF, 0xE2, 14) + b"ICC_PROFILE\0" + data[2:]
    expected = decode(data, 10**6).strips.whole()
    assert np.array_equal(decode(damaged, 10**6).strips.whole(), expected)


def test_limits_count_as_before() -> None:
    header = png_header(2000, 1000)
    data = header[:HEADER_END] + chunk(b"zTXt", BOMB) + header[HEADER_END:]
    with pytest.raises(ImageTooLarge):
        check_beginning(data, 10**6)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xe0\0"])
def test_what_has_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage, match="not readable"):
        decode(data, 10**6)
