"""Headers of image files, also of such as have a damaged part that the picture does not need."""

import math
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO

from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngStream

from serving.codec.formats import ImageFormat

# The caller's limit is applied to what the header tells; Pillow's own, which is global and counts
# differently, would refuse images that the caller allows.
Image.MAX_IMAGE_PIXELS = None

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"pHYs", b"eXIf")
_PNG_TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type exif")
_LONGEST_KEYWORD = 79

_JPEG = b"\xff\xd8"
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff])")
START_OF_SCAN = 0xDA
_WITHOUT_CONTENT = (0x01, *range(0xD0, 0xD8))
# Segments that the pixels do not need: for applications, and comments.
_BESIDE_PIXELS = (*range(0xE0, 0xF0), 0xFE)
# How those of them begin that are of use, and how long they are at least.
_USEFUL = {
    0xE0: (b"JFIF\0", 14),
    0xE1: (b"", 0),
    0xE2: (b"ICC_PROFILE\0", 14),
    0xEE: (b"Adobe", 12),
}


def open_header(data: bytes) -> ImageFile | None:
    """Opens an image file; None where it is none that Pillow knows. No pixel is decoded.

    Pillow refuses a whole PNG or JPEG for one text that is too long, or one segment that is too
    short, which other programs pass over; of such a file a copy without them is opened.
    """
    image = _open(data)
    if image is None and data.startswith(_PNG):
        image = _open(_mended_png(data))
    elif image is None and data.startswith(_JPEG):
        image = _open(_mended_jpeg(data))
    return image


def _open(data: bytes) -> ImageFile | None:
    try:
        return Image.open(BytesIO(data), formats=[format.name for format in ImageFormat])
    except Exception:  # Hostile headers make Pillow raise nearly anything.
        return None


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's kind, where its content begins, and its length (ISO/IEC 15948)."""
    at = len(_PNG)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, size
        at += 8 + size + 4


def _mended_png(data: bytes) -> bytes:
    """With only those chunks before the pixels that are of use, and that Pillow accepts."""
    file = BytesIO(data)
    stream = PngStream(file)
    wanted = {*_PNG_CHUNKS, *_PNG_TEXTS}
    kept = [_PNG]
    for kind, at, size in png_chunks(data):
        if kind == b"IDAT":
            kept.append(data[at - 8 :])
            break
        text = kind in (b"tEXt", b"zTXt", b"iTXt")
        name = data[at : at + _LONGEST_KEYWORD].partition(b"\0")[0] if text else kind
        if name not in wanted:
            continue
        wanted.remove(name)  # One of each, as trying any number could take any time.
        file.seek(at)
        with suppress(Exception):  # As for whole headers.
            stream.crc(kind, stream.call(kind, at, size))
            kept.append(data[at - 8 : at + size + 4])
    return b"".join(kept)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each marker segment's kind, where its length field is, and that length (ITU-T T.81).

    Behind the start of the scan, what looks like a segment need not be one.
    """
    at = len(_JPEG)
    while (marker := _JPEG_MARKER.search(data, at)) and marker.end() + 2 <= len(data):
        kind, start = marker[1][0], marker.end()
        size = 0 if kind in _WITHOUT_CONTENT else struct.unpack_from(">H", data, start)[0]
        yield kind, start, size
        at = start + size


def _mended_jpeg(data: bytes) -> bytes:
    """With only the useful ones of those segments that the pixels do not need."""
    kept = [_JPEG]
    for kind, at, size in jpeg_segments(data):
        if kind == START_OF_SCAN:
            kept.append(data[at - 2 :])
            break
        if kind not in _BESIDE_PIXELS or _is_useful(kind, data[at + 2 : at + size]):
            kept.append(data[at - 2 : at + size])
    return b"".join(kept)


def _is_useful(kind: int, content: bytes) -> bool:
    beginning, least = _USEFUL.get(kind, (b"", math.inf))
    return content.startswith(beginning) and len(content) >= least
