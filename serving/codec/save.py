"""Encoding by Pillow, of a whole picture at once."""

import os
import sys
from io import BytesIO
from typing import IO, Any

from PIL import Image

from serving.codec.exif import MARKER
from serving.codec.formats import ImageFormat
from serving.codec.picture import Metadata
from serving.pixels import Pixels


def save_by_pillow(
    pixels: Pixels, format: ImageFormat, metadata: Metadata, **options: Any
) -> bytes:
    """Encodes uint8 pixels [H, W, C]; `options` are those of Pillow's encoder."""
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.exif:
        options["exif"] = MARKER + metadata.exif
    if metadata.xmp:
        options["xmp"] = metadata.xmp
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    with _file() as file:
        image.save(file, format.name, **options)
        file.seek(0)
        return file.read()


def _file() -> IO[bytes]:
    """A file in memory, and where the system has them one with a descriptor.

    Pillow keeps the interpreter to itself while it encodes into an object, not into a descriptor.
    """
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("image"), "w+b")
    return BytesIO()
