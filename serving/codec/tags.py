"""The tags of a TIFF file's first picture (TIFF 6.0, BigTIFF)."""

import struct
from contextlib import suppress
from io import BytesIO

from PIL import ExifTags, Image

MAGICS = (b"II", b"MM")

_BIG = b"II\x2b\0"
# Of ExtraSamples; the last is Corel Draw's.
_KINDS_OF_ALPHA = (1, 2, 999)


def read_tags(data: bytes) -> Image.Exif:
    """All tags; none where they cannot be read, which need not keep the pixels from being."""
    tags = Image.Exif()
    with suppress(Exception):  # Hostile directories make Pillow raise nearly anything.
        if data.startswith(_BIG):
            # Pillow reads only half of such a header, unless it is told of it.
            tags.bigtiff, tags.endian = True, "<"
            (offset,) = struct.unpack_from("<Q", data, 8)
            tags.load_from_fp(BytesIO(data), offset)
        else:
            tags.load_from_fp(BytesIO(data))
        return tags
    return Image.Exif()


def alpha_among(data: bytes, extra: int) -> int | None:
    """Which of a TIFF's samples beside the colours is alpha: 0 to `extra` - 1, or None.

    Where the file tells nothing of them, one alone is alpha, as other programs take it.
    """
    kinds = None
    with suppress(Exception):  # As above, for values.
        kinds = read_tags(data).get(ExifTags.Base.ExtraSamples)
    if kinds is None:
        return 0 if extra == 1 else None
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    return next((at for at, kind in enumerate(kinds[:extra]) if kind in _KINDS_OF_ALPHA), None)
