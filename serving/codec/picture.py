"""A decoded image."""

from dataclasses import dataclass

from serving.codec.formats import ImageFormat
from serving.pixels import Pixels


@dataclass(frozen=True, slots=True)
class Metadata:
    """What travels with the pixels from file to file.

    Attributes:
        icc: colour profile (ICC.1), or empty.
        exif: EXIF block in TIFF form without the ``Exif`` marker, orientation removed, or empty.
    """

    icc: bytes = b""
    exif: bytes = b""


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright image in memory.

    Attributes:
        pixels: uint8 or uint16 [H, W, C]; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        format: of the file it came from.
        metadata: what to carry over.
    """

    pixels: Pixels
    format: ImageFormat
    metadata: Metadata
