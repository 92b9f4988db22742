"""Pixels to image files."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from serving.codec.formats import ImageFormat
from serving.codec.metadata import EXIF_MARKER
from serving.codec.picture import Metadata
from serving.codec.png import encode_png
from serving.codec.tiff import encode_tiff
from serving.errors import ImageTooLarge, InvalidOption
from serving.pixels import Depth, Pixels

DEFAULT_QUALITY = 95
QUALITIES = range(1, 101)

_GREY_PROFILE = b"GRAY"


def sample_type(depth: Depth, format: ImageFormat) -> Depth:
    """The samples that a file of this format keeps of samples of this depth: uint8 or uint16."""
    return depth if format.value.deep else np.uint8


def check_encodable(width: int, height: int, format: ImageFormat, quality: int) -> None:
    """Refuses what :func:`encode` could not write, so that nobody has to upscale first to know.

    Raises:
        InvalidOption: `quality` is out of range.
        ImageTooLarge: a side is longer than the format allows.
    """
    if quality not in QUALITIES:
        raise InvalidOption(
            "options.quality", quality, f"{QUALITIES.start} to {QUALITIES.stop - 1}"
        )
    if max(width, height) > format.value.longest_side:
        raise ImageTooLarge(
            "result",
            f"{width}x{height} pixels",
            f"sides of at most {format.value.longest_side} for {format.value.title}; "
            f"choose another format",
        )


def encode(pixels: Pixels, format: ImageFormat, metadata: Metadata, quality: int) -> bytes:
    """Encodes pixels as an image file.

    Args:
        pixels: [H, W, C], C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; of :func:`sample_type`.
        format: what to write. Alpha is flattened on white where the format has none.
        metadata: kept as far as the format can; a profile for other channels than these is not.
        quality: 1 to 100, for JPEG and WebP.
    """
    if not format.value.alpha and pixels.shape[2] in (2, 4):
        pixels = _flatten_on_white(pixels)
    # WebP knows RGB only.
    grey = pixels.shape[2] < 3 and format is not ImageFormat.WEBP
    if (metadata.icc[16:20] == _GREY_PROFILE) != grey:
        metadata = replace(metadata, icc=b"")
    match format:
        case ImageFormat.PNG:
            return encode_png(pixels, metadata)
        case ImageFormat.TIFF:
            return encode_tiff(pixels, metadata)
        case ImageFormat.JPEG:
            # Full colour resolution: the network has just drawn it.
            return _encode_by_pillow(pixels, format, metadata, quality=quality, subsampling="4:4:4")
        case ImageFormat.WEBP:
            return _encode_by_pillow(pixels, format, metadata, quality=quality)
        case ImageFormat.BMP:
            return _encode_by_pillow(pixels, format, Metadata())


def _encode_by_pillow(
    pixels: Pixels, format: ImageFormat, metadata: Metadata, **options: Any
) -> bytes:
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.exif:
        options["exif"] = EXIF_MARKER + metadata.exif
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    file = BytesIO()
    image.save(file, format.name, **options)
    return file.getvalue()


def _flatten_on_white(pixels: Pixels) -> Pixels:
    """uint8 [H, W, C + 1] to [H, W, C]."""
    colour = pixels[:, :, :-1].astype(np.uint16)
    alpha = pixels[:, :, -1:].astype(np.uint16)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
