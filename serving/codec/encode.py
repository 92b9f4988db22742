"""Pixels to image files."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from serving.codec.exif import with_density
from serving.codec.formats import Compression, ImageFormat, check_quality
from serving.codec.jpeg import encode_jpeg
from serving.codec.picture import Metadata
from serving.codec.png import encode_png
from serving.codec.save import save_by_pillow
from serving.codec.tiff import encode_tiff
from serving.errors import ImageTooLarge
from serving.pixels import Depth, Pixels, has_alpha
from serving.strips import Strips

_GREY_PROFILE = b"GRAY"
_BMP_HEAD = 14 + 40
_LARGEST_BMP = 2**32 - 1


def sample_type(depth: Depth, format: ImageFormat) -> Depth:
    """The samples that a file of this format keeps of samples of this depth: uint8 or uint16."""
    return depth if format.value.deep else np.uint8


def check_encodable(width: int, height: int, format: ImageFormat, quality: int) -> None:
    """Refuses what :func:`encode` could not write, so that nobody has to upscale first to know.

    Raises:
        InvalidOption: `quality` is out of range.
        ImageTooLarge: a side is longer, or the file is larger, than the format allows.
    """
    check_quality(quality)
    if max(width, height) > format.value.longest_side:
        raise ImageTooLarge(
            "result",
            f"{width}x{height} pixels",
            f"sides of at most {format.value.longest_side} for {format.value.title}; "
            f"choose another format",
        )
    if format is ImageFormat.BMP and _bmp_bytes(width, height) > _LARGEST_BMP:
        raise ImageTooLarge(
            "result",
            f"{width}x{height} pixels",
            "a file of less than 4 GiB for BMP; choose another format",
        )


def _bmp_bytes(width: int, height: int) -> int:
    """How large a file of RGB is; grey, which needs less, is not told from it."""
    row = -(-3 * width // 4) * 4
    return _BMP_HEAD + row * height


def encode(
    strips: Strips,
    format: ImageFormat,
    metadata: Metadata,
    quality: int,
    compression: Compression = Compression.FAST,
) -> Iterator[bytes]:
    """Encodes a picture as an image file, piece by piece as its strips come; WebP and BMP at once.

    Args:
        strips: the picture, its samples of :func:`sample_type`.
        format: what to write. Alpha is flattened on white where the format has none.
        metadata: kept as far as the format can; a profile for other channels than these is not.
        quality: 1 to 100, for JPEG and WebP.
        compression: for PNG and TIFF.
    """
    if not format.value.alpha and has_alpha(strips.channels):
        flat = (_flatten_on_white(part) for part in strips.parts)
        strips = replace(strips, channels=strips.channels - 1, parts=flat)
    # WebP knows RGB only.
    grey = strips.channels < 3 and format is not ImageFormat.WEBP
    if (metadata.icc[16:20] == _GREY_PROFILE) != grey:
        metadata = replace(metadata, icc=b"")
    match format:
        case ImageFormat.PNG:
            yield from encode_png(strips, metadata, compression)
        case ImageFormat.TIFF:
            yield from encode_tiff(strips, metadata, compression)
        case ImageFormat.JPEG:
            yield from encode_jpeg(strips, metadata, quality)
        case ImageFormat.WEBP:
            if metadata.dpi:
                exif = with_density(metadata.exif, metadata.dpi)
                metadata = replace(metadata, exif=exif, dpi=None)
            yield save_by_pillow(strips.whole(), format, metadata, quality=quality)
        case ImageFormat.BMP:
            yield save_by_pillow(strips.whole(), format, Metadata(dpi=metadata.dpi))


def _flatten_on_white(pixels: Pixels) -> Pixels:
    """uint8 [H, W, C + 1] to [H, W, C]."""
    colour = pixels[:, :, :-1].astype(np.uint16)
    alpha = pixels[:, :, -1:].astype(np.uint16)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
