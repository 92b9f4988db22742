"""Writing PNG fast (ISO/IEC 15948): general encoders take longer than the network.

Every row gets the Sub filter, computed for all at once, and Intel's deflate compresses at its first
level. Photographs come out about as small as at zlib's first level, in a tenth of the time.
"""

import struct
from collections.abc import Iterator

import numpy as np
from isal import isal_zlib

from serving.codec.picture import Metadata
from serving.pixels import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_SUB = 1
_STRIP_BYTES = 1 << 20


def encode_png(pixels: Pixels, metadata: Metadata) -> bytes:
    """Encodes uint8 or uint16 pixels [H, W, C] (1 grey, 2 grey and alpha, 3 RGB, 4 RGBA)."""
    height, width, channels = pixels.shape
    depth = pixels.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = [_SIGNATURE, *_chunk(b"IHDR", header)]
    if metadata.icc:
        profile = b"ICC Profile\0\0" + isal_zlib.compress(metadata.icc)
        chunks += _chunk(b"iCCP", profile)
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif)
    compressor = isal_zlib.compressobj(level=1)
    for strip in _filtered_strips(pixels):
        if data := compressor.compress(strip):
            chunks += _chunk(b"IDAT", data)
    chunks += _chunk(b"IDAT", compressor.flush())
    chunks += _chunk(b"IEND", b"")
    return b"".join(chunks)


def _filtered_strips(pixels: Pixels) -> Iterator[bytes]:
    """Rows of filtered big-endian bytes, some at a time so that no second picture is needed."""
    height, width, channels = pixels.shape
    pixel_bytes = channels * pixels.dtype.itemsize
    rows = max(1, _STRIP_BYTES // (width * pixel_bytes))
    for top in range(0, height, rows):
        strip = np.ascontiguousarray(pixels[top : top + rows])
        strip = strip.astype(strip.dtype.newbyteorder(">"), copy=False)
        samples = strip.view(np.uint8).reshape(len(strip), width * pixel_bytes)
        filtered = np.empty((len(strip), 1 + width * pixel_bytes), np.uint8)
        filtered[:, 0] = _SUB
        filtered[:, 1 : 1 + pixel_bytes] = samples[:, :pixel_bytes]
        np.subtract(
            samples[:, pixel_bytes:], samples[:, :-pixel_bytes], out=filtered[:, 1 + pixel_bytes :]
        )
        yield filtered.tobytes()


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)
