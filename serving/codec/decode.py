"""Image files to pixels: the header is judged before any pixel is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from serving.codec import vips
from serving.codec.formats import TITLES, ImageFormat
from serving.codec.header import open_header
from serving.codec.metadata import MIRRORED, SIDEWAYS, UPRIGHT, read_metadata, upright
from serving.codec.palette import is_grey
from serving.codec.picture import Picture
from serving.codec.tags import MAGICS as TIFF_MAGICS
from serving.errors import ImageTooLarge, InvalidImage
from serving.pixels import Pixels, has_alpha
from serving.strips import Strips

Bytes = NDArray[np.uint8]

_LOOKED_AT = 16
_EXPECTED = f"a complete {TITLES} file"


def decode(data: bytes, max_pixels: int) -> Picture:
    """Decodes an image file of any supported format, recognised by its content.

    Of several frames or pages the first is used. Palettes and CMYK become RGB; bilevel becomes
    grey, and so does a palette of greys alone, unless there is a profile; a transparent colour
    becomes alpha. Whether samples have 16 bits is up to the file's type, never its pixels; 16-bit
    CMYK is the one kind that is reduced to 8.

    No pixel is decoded before the strips are drawn. PNG, JPEG and TIFF in grey or RGB come strip by
    strip, unless EXIF says that they lie on their side or head; all else is one strip.

    Raises:
        InvalidImage: the bytes are no such file, or are damaged, or their kind of pixels (such as
            floating point) cannot be shown as 8 or 16 bits. What is found later is raised by the
            strips.
        ImageTooLarge: the header tells more than `max_pixels` pixels.
    """
    if not data:
        raise InvalidImage("image", "empty", _EXPECTED)
    strips, image = vips.open_strips(data), open_header(data)
    if image is None and not (strips and data.startswith(TIFF_MAGICS)):
        # There are kinds of TIFF that only libvips knows; of others the metadata would be lost.
        raise InvalidImage("image", f"not readable ({len(data)} bytes)", _EXPECTED)
    for opened in (image, strips):
        if opened is not None:  # Of a tag that comes twice, each believes another one.
            _check_size(opened, max_pixels)
    format = _format(image) if image else ImageFormat.TIFF
    with _damage_is_invalid(format):
        return _read(image, strips, format, data)


def check_beginning(data: bytes, max_pixels: int) -> None:
    """Refuses a file that has only begun to arrive; what cannot be told yet is not refused.

    Raises:
        ImageTooLarge: its header tells more than `max_pixels` pixels.
    """
    image = open_header(data)
    if image:
        _check_size(image, max_pixels)


def _check_size(image: ImageFile | Strips, max_pixels: int) -> None:
    width, height = image.width, image.height
    if width * height > max_pixels:
        raise ImageTooLarge(
            "image", f"{width}x{height} = {width * height} pixels", f"at most {max_pixels}"
        )


def _format(image: ImageFile) -> ImageFormat:
    # Pillow calls a JPEG with further pictures at its end an MPO.
    return ImageFormat["JPEG" if image.format == "MPO" else image.format or ""]


@contextmanager
def _damage_is_invalid(format: ImageFormat) -> Iterator[None]:
    try:
        yield
    except (InvalidImage, MemoryError):
        raise
    except Exception as error:  # As for headers, so for bodies.
        reason = " ".join(str(error).split())
        raise InvalidImage(
            "image", f"damaged {format.value.title} data ({reason})", _EXPECTED
        ) from error


def _read(
    image: ImageFile | None, strips: Strips | None, format: ImageFormat, data: bytes
) -> Picture:
    metadata, orientation = read_metadata(image, format, data)
    if strips is None:
        assert image is not None
        strips = _at_once(image)
        if format is ImageFormat.TIFF:
            orientation = UPRIGHT  # Pillow turns what it decodes of these
        if image.mode == "CMYK":
            metadata = replace(metadata, icc=b"")
    if strips.channels >= 3 and image is not None and not metadata.icc and is_grey(image):
        strips = _grey(strips)
    strips = replace(strips, parts=_guarded(strips.parts, format))
    return Picture(_upright(strips, orientation), format, metadata)


def _grey(strips: Strips) -> Strips:
    """A picture of equal channels with one of them, and its alpha."""
    kept = [0, 3] if has_alpha(strips.channels) else [0]
    return replace(strips, channels=len(kept), parts=(part[:, :, kept] for part in strips.parts))


def _guarded(parts: Iterator[Pixels], format: ImageFormat) -> Iterator[Pixels]:
    with _damage_is_invalid(format):
        yield from parts


def _upright(strips: Strips, orientation: int) -> Strips:
    if orientation == UPRIGHT:
        return strips
    if orientation == MIRRORED:
        return replace(strips, parts=(part[:, ::-1] for part in strips.parts))
    if orientation in SIDEWAYS:
        turned = replace(strips, height=strips.width, width=strips.height)
    else:
        turned = strips
    return replace(turned, parts=(upright(whole.whole(), orientation) for whole in (strips,)))


def _at_once(image: ImageFile) -> Strips:
    """One strip that is the whole picture, decoded when it is drawn."""
    transparent = image.has_transparency_data
    match image.mode:
        case "1" | "L" | "LA" | "La":
            mode = "LA" if transparent else "L"
        case "P" | "PA" | "RGB" | "RGBA" | "RGBa" | "RGBX" | "YCbCr":
            mode = "RGBA" if transparent else "RGB"
        case "CMYK":
            mode = "RGB"
        case "I;16" if isinstance(image, TiffImageFile):
            return Strips(image.height, image.width, 1, np.uint16, _widened(image))
        case other:
            raise InvalidImage(
                "image", f"of pixel type {other}", "8 or 16 unsigned bits a sample, grey or colour"
            )

    def parts() -> Iterator[Pixels]:
        image.load()
        if image.mode == "CMYK":
            converted = _cmyk_to_srgb(image, image.info.get("icc_profile"))
        else:
            converted = _convert(image, mode)
        pixels = np.asarray(converted).reshape(image.height, image.width, len(mode))
        yield _exactly_grey(pixels) if image.format == "WEBP" and len(mode) >= 3 else pixels

    return Strips(image.height, image.width, len(mode), np.uint8, parts())


def _exactly_grey(pixels: Bytes) -> Bytes:
    """Equal channels where a decoder of WebP has rounded those of a grey picture differently.

    Without any chroma libwebp makes red and blue the same, and green that or one less.
    """
    red, green, blue = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    for some in (slice(None, None, _LOOKED_AT), slice(None)):  # Few rows tell most colour.
        if (red[some] != blue[some]).any() or (red[some] - green[some] > 1).any():
            return pixels
    grey = pixels.copy()
    grey[:, :, 1] = red
    return grey


def _widened(image: TiffImageFile) -> Iterator[Pixels]:
    """Grey of an odd number of bits, such as 12, to 16 bits, so that white stays white."""
    (bits,) = image.tag_v2[ExifTags.Base.BitsPerSample]
    image.load()
    samples = np.asarray(image, np.float64) * (np.iinfo(np.uint16).max / (2**bits - 1))
    yield np.rint(samples).astype(np.uint16)[:, :, None]


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
