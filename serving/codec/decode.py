"""Image files to pixels: the header is judged before any pixel is decoded."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile

from serving.codec.deep import holds_16_bits, read_16_bits
from serving.codec.formats import TITLES, ImageFormat
from serving.codec.metadata import read_metadata, upright
from serving.codec.picture import Picture
from serving.errors import ImageTooLarge, InvalidImage
from serving.pixels import Pixels

# The caller's limit is applied to the header below; Pillow's own, which is global and counts
# differently, would refuse images that the caller allows.
Image.MAX_IMAGE_PIXELS = None

_EXPECTED = f"a complete {TITLES} file"


def decode(data: bytes, max_pixels: int) -> Picture:
    """Decodes an image file of any supported format, recognised by its content.

    Of several frames or pages the first is used. Palettes and CMYK become RGB, bilevel becomes
    grey, a transparent colour becomes alpha. Whether samples have 16 bits is up to the file's type,
    never its pixels; 16-bit CMYK is the one kind that is reduced to 8.

    Raises:
        InvalidImage: the bytes are no such file, or are damaged, or their kind of pixels (such as
            floating point) cannot be shown as 8 or 16 bits.
        ImageTooLarge: the header tells more than `max_pixels` pixels.
    """
    if not data:
        raise InvalidImage("image", "empty", _EXPECTED)
    try:
        image = _open(data)
    except Exception as error:  # Hostile headers make Pillow raise nearly anything.
        raise InvalidImage("image", f"not readable ({len(data)} bytes)", _EXPECTED) from error
    with image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageTooLarge(
                "image", f"{width}x{height} = {width * height} pixels", f"at most {max_pixels}"
            )
        # Pillow calls a JPEG with further pictures at its end an MPO.
        format = ImageFormat["JPEG" if image.format == "MPO" else image.format or ""]
        try:
            return _read(image, format, data)
        except (InvalidImage, MemoryError):
            raise
        except Exception as error:  # As above, for hostile bodies.
            raise InvalidImage(
                "image", f"damaged {format.value.title} data ({error})", _EXPECTED
            ) from error


def _open(data: bytes) -> ImageFile:
    return Image.open(BytesIO(data), formats=[format.name for format in ImageFormat])


def _read(image: ImageFile, format: ImageFormat, data: bytes) -> Picture:
    if holds_16_bits(image):
        pixels = read_16_bits(image, lambda: _open(data))
    else:
        pixels = _read_8_bits(image)
    # Only now: a PNG may hold them after the pixels.
    metadata, orientation = read_metadata(image, format)
    if image.mode == "CMYK":
        metadata = replace(metadata, icc=b"")
    return Picture(upright(pixels, orientation), format, metadata)


def _read_8_bits(image: ImageFile) -> Pixels:
    image.load()
    transparent = image.has_transparency_data
    match image.mode:
        case "1" | "L" | "LA" | "La":
            converted = _convert(image, "LA" if transparent else "L")
        case "P" | "PA" | "RGB" | "RGBA" | "RGBa" | "RGBX" | "YCbCr":
            converted = _convert(image, "RGBA" if transparent else "RGB")
        case "CMYK":
            converted = _cmyk_to_srgb(image, image.info.get("icc_profile"))
        case mode:
            raise InvalidImage(
                "image", f"of pixel type {mode}", "8 or 16 unsigned bits a sample, grey or colour"
            )
    return np.asarray(converted).reshape(converted.height, converted.width, -1)


def _convert(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    return image if image.mode == mode else image.convert(mode)


def _cmyk_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None  # A profile that does not fit the pixels is worth no failure.
        if converted is not None:
            return converted
    return image.convert("RGB")
