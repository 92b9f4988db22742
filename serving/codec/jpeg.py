"""Writing JPEG (ITU-T T.81) strip by strip, with an encoder that takes whole pictures only.

Restart intervals make it possible: at each the encoder starts afresh, so the intervals of one file
may come from several encodings with the same tables. Each strip is encoded as a picture of its own
that is one interval long; joined by restart markers their scans are the scan of the whole.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace

from serving.codec.exif import MARKER, shortened
from serving.codec.formats import ImageFormat
from serving.codec.header import START_OF_SCAN, jpeg_segments
from serving.codec.picture import Metadata
from serving.codec.save import save_by_pillow
from serving.pixels import Pixels
from serving.strips import Strips, Window

_BLOCK = 8
_STRIP_BYTES = 1 << 19  # of pixels, encoded at a time
_LONGEST_INTERVAL = 2**16 - 1  # in blocks

# What fits into a segment beside its name.
_LONGEST_EXIF = 2**16 - 1 - 2 - len(MARKER)
_LONGEST_XMP = 65_502
_MOST_DENSITY = 2**16 - 1

_START_OF_FRAME, _RESTART, _END = 0xC0, 0xD0, 0xD9


def encode_jpeg(strips: Strips, metadata: Metadata, quality: int) -> Iterator[bytes]:
    """Encodes a picture of uint8 grey or RGB, piece by piece as its strips come.

    Colour keeps its full resolution: the network has just drawn it.
    """
    metadata = _fitting(metadata)
    across = -(-strips.width // _BLOCK)
    block_rows = _STRIP_BYTES // (_BLOCK * _BLOCK * across * strips.channels)
    block_rows = min(max(1, block_rows), _LONGEST_INTERVAL // across)
    rows = block_rows * _BLOCK
    window = Window(strips)
    for number, top in enumerate(range(0, strips.height, rows)):
        pixels = window.take(top, min(top + rows, strips.height))
        head, scan = _encode(pixels, Metadata() if number else metadata, quality, block_rows)
        if number == 0:
            yield _of_height(head, strips.height)
        else:
            yield bytes((0xFF, _RESTART + (number - 1) % 8))
        yield scan
    yield bytes((0xFF, _END))


def _fitting(metadata: Metadata) -> Metadata:
    """Without what a JPEG has no room for."""
    if len(metadata.xmp) > _LONGEST_XMP:
        metadata = replace(metadata, xmp=b"")
    if metadata.dpi and max(metadata.dpi) > _MOST_DENSITY:
        metadata = replace(metadata, dpi=None)
    return replace(metadata, exif=shortened(metadata.exif, _LONGEST_EXIF))


def _encode(
    pixels: Pixels, metadata: Metadata, quality: int, block_rows: int
) -> tuple[bytes, bytes]:
    """A file's part up to where its scan's data begin, and these."""
    file = save_by_pillow(
        pixels,
        ImageFormat.JPEG,
        metadata,
        quality=quality,
        subsampling="4:4:4",
        restart_marker_rows=block_rows,
    )
    at, size = next((at, size) for kind, at, size in jpeg_segments(file) if kind == START_OF_SCAN)
    return file[: at + size], file[at + size : -2]


def _of_height(head: bytes, height: int) -> bytes:
    """The head with another height in its frame header."""
    at = next(at for kind, at, _ in jpeg_segments(head) if kind == _START_OF_FRAME)
    offset = at + 3  # behind the segment's length and the precision
    return head[:offset] + struct.pack(">H", height) + head[offset + 2 :]
