"""An image file's content."""

from dataclasses import dataclass

from serving.codec.formats import ImageFormat
from serving.strips import Strips


@dataclass(frozen=True, slots=True)
class Metadata:
    """What travels with the pixels from file to file.

    Attributes:
        icc: colour profile (ICC.1), or empty.
        exif: EXIF block in TIFF form without the ``Exif`` marker, or empty; orientation, size
            in pixels and what `dpi` tells are removed.
        dpi: pixels an inch across and down, 0.001 to 10 million, or None where the file does not
            tell.
        xmp: XMP packet (ISO 16684-1), orientation removed, or empty.
        gamma: exponent that samples were encoded with (PNG's gAMA), or None.
    """

    icc: bytes = b""
    exif: bytes = b""
    dpi: tuple[float, float] | None = None
    xmp: bytes = b""
    gamma: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright image.

    Attributes:
        strips: its pixels; they may be decoded as they are drawn, and so be found to be damaged.
        format: of the file it came from.
        metadata: what to carry over.
    """

    strips: Strips
    format: ImageFormat
    metadata: Metadata
