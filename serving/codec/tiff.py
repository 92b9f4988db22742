"""Writing TIFF 6.0 with 8 or 16 bits a sample: deflate with horizontal differencing, in strips.

What passes 4 GiB becomes a BigTIFF (https://libtiff.gitlab.io/libtiff/specification/bigtiff.html).
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from itertools import accumulate
from tempfile import TemporaryFile

import numpy as np
from PIL import TiffTags
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from serving.codec.deflate import compressor
from serving.codec.exif import about_the_picture, loaded
from serving.codec.formats import Compression
from serving.codec.picture import Metadata
from serving.pixels import Pixels, has_alpha
from serving.strips import Strips, Window

_ADOBE_DEFLATE = 8
_BLACK_IS_ZERO, _RGB = 1, 2
_HORIZONTAL_DIFFERENCING = 2
_UNASSOCIATED_ALPHA = 2
_INCH = 2
_STRIP_BYTES = 1 << 20

# How a file begins: version, size of an offset where that may differ, place of the directory.
_CLASSIC = struct.pack("<2sHI", b"II", 42, 8)
_BIG = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16)
_LONGEST_CLASSIC = 2**32 - 1


def encode_tiff(
    strips: Strips, metadata: Metadata, compression: Compression = Compression.FAST
) -> Iterator[bytes]:
    """Encodes a picture of any kind, in pieces.

    The directory at the file's head tells the sizes of the compressed strips, so these wait on disk
    until the last one is there.
    """
    row_bytes = strips.width * strips.channels * np.iinfo(strips.depth).bits // 8
    rows = max(1, _STRIP_BYTES // row_bytes)
    window = Window(strips)
    with TemporaryFile() as waiting:
        sizes: list[int] = []
        for top in range(0, strips.height, rows):
            strip = _compress(window.take(top, min(top + rows, strips.height)), compression)
            waiting.write(strip)
            sizes.append(len(strip))
        yield _head(strips, metadata, rows, sizes)
        waiting.seek(0)
        while chunk := waiting.read(_STRIP_BYTES):
            yield chunk


def _head(strips: Strips, metadata: Metadata, rows: int, sizes: list[int]) -> bytes:
    """Header and directory of a file whose compressed strips, of so many `rows`, follow.

    Only a file that is too long for offsets of 32 bits is a BigTIFF, as fewer programs read these.
    """
    big = _head_of_kind(_BIG, strips, metadata, rows, sizes)
    if len(big) + sum(sizes) > _LONGEST_CLASSIC:
        return big
    return _head_of_kind(_CLASSIC, strips, metadata, rows, sizes)


def _head_of_kind(
    kind: bytes, strips: Strips, metadata: Metadata, rows: int, sizes: list[int]
) -> bytes:
    directory = ImageFileDirectory_v2(kind)
    if metadata.exif:
        for tag, value in about_the_picture(loaded(metadata.exif)).items():
            directory[tag] = value
    channels = strips.channels
    directory[Base.ImageWidth] = strips.width
    directory[Base.ImageLength] = strips.height
    directory[Base.BitsPerSample] = (np.iinfo(strips.depth).bits,) * channels
    directory[Base.Compression] = _ADOBE_DEFLATE
    directory[Base.PhotometricInterpretation] = _BLACK_IS_ZERO if channels < 3 else _RGB
    directory[Base.SamplesPerPixel] = channels
    directory[Base.RowsPerStrip] = rows
    # Offsets count from the end of the directory, which adds its own length.
    directory[Base.StripOffsets] = tuple(accumulate(sizes[:-1], initial=0))
    directory.tagtype[Base.StripOffsets] = TiffTags.LONG8 if kind == _BIG else TiffTags.LONG
    directory[Base.StripByteCounts] = tuple(sizes)
    directory[Base.Predictor] = _HORIZONTAL_DIFFERENCING
    if has_alpha(channels):
        directory[Base.ExtraSamples] = _UNASSOCIATED_ALPHA
    if metadata.icc:
        directory[Base.InterColorProfile] = metadata.icc
    if metadata.xmp:
        directory[Base.XMLPacket] = metadata.xmp
        directory.tagtype[Base.XMLPacket] = TiffTags.BYTE
    if metadata.dpi:
        directory[Base.XResolution], directory[Base.YResolution] = metadata.dpi
        directory[Base.ResolutionUnit] = _INCH
    file = BytesIO()
    directory.save(file)
    return file.getvalue()


def _compress(strip: Pixels, compression: Compression) -> bytes:
    differences = strip.copy()
    differences[:, 1:] -= strip[:, :-1]
    little_endian = differences.astype(differences.dtype.newbyteorder("<"), copy=False)
    stream = compressor(compression)
    return stream.compress(little_endian.tobytes()) + stream.flush()
