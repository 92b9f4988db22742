"""Compression of the lossless formats (deflate, RFC 1950)."""

import zlib
from typing import Protocol

from isal import isal_zlib

from serving.codec.formats import Compression


class Compressor(Protocol):
    """Takes a stream piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """Takes the next bytes; returns what is ready."""

    def flush(self) -> bytes:
        """The end."""


def compressor(compression: Compression) -> Compressor:
    """A compressor for one stream."""
    if compression is Compression.SMALL:
        return zlib.compressobj(zlib.Z_BEST_COMPRESSION, memLevel=9)
    # Its higher levels save less than 1%.
    return isal_zlib.compressobj(level=1)
