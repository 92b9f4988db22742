"""EXIF orientation and the metadata that outlives an upscaling."""

import re
import zlib
from contextlib import suppress

from PIL import ExifTags, Image, TiffImagePlugin
from PIL.ImageFile import ImageFile

from serving.codec.exif import INCH, about_the_picture, forget_size, saved, value
from serving.codec.formats import ImageFormat
from serving.codec.header import png_chunks
from serving.codec.picture import Metadata
from serving.codec.tags import read_tags
from serving.pixels import Pixels

# EXIF orientations.
UPRIGHT, MIRRORED = 1, 2
SIDEWAYS = (5, 6, 7, 8)

# Units in an inch, by their numbers; 3 is the centimetre.
_UNITS: dict[object, float] = {None: 1.0, INCH: 1.0, 3: 2.54}
# Pixels an inch; what is outside is nonsense, and more than some formats can hold.
_LEAST_DENSITY, _MOST_DENSITY = 1e-3, 1e7

_LONGEST_PROFILE = 1 << 24

# As an attribute or as an element; both are in use.
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"\']|>))[2-8]([\"\'<])")

_NUMBERS = (int, float, TiffImagePlugin.IFDRational)
_DENSITY = (ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit)


def read_metadata(
    image: ImageFile | None, format: ImageFormat, data: bytes
) -> tuple[Metadata, int]:
    """What to carry over from a file, as it applies to upright pixels. Decodes none of them.

    Args:
        image: the file, opened; None for a TIFF that Pillow does not know.
        format: of the file.
        data: its content.

    Returns:
        The metadata, and the EXIF orientation that they no longer tell: 1 to 8, where 1 is upright
        and also stands for none or nonsense.
    """
    if format is ImageFormat.TIFF or image is None:
        exif = read_tags(data)
        icc, dpi = value(exif, ExifTags.Base.InterColorProfile), _resolution(exif)
        xmp, gamma = value(exif, ExifTags.Base.XMLPacket), None
    else:
        if format is ImageFormat.PNG:
            # Looking for an EXIF chunk behind the pixels, Pillow would decode them.
            image.info.setdefault("exif", _png_chunk(data, b"eXIf"))
            if "icc_profile" not in image.info:
                image.info["icc_profile"] = _png_profile(data)
        exif = _exif(image)
        icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
        if format is ImageFormat.JPEG and not image.info.get("jfif_unit"):
            dpi = None  # Pillow says 72 where nothing is told.
        dpi = dpi or _resolution(exif)
        xmp, gamma = image.info.get("xmp"), image.info.get("gamma")
    orientation = value(exif, ExifTags.Base.Orientation)
    if not isinstance(orientation, int) or orientation not in range(1, 9):
        orientation = UPRIGHT
    forget_size(exif)
    if format is ImageFormat.TIFF:
        exif = about_the_picture(exif)
    told_elsewhere = [ExifTags.Base.Orientation, *(_DENSITY if dpi else ())]
    for tag in told_elsewhere:
        exif.pop(tag, None)
    dpi = _plausible(dpi)
    if dpi and orientation in SIDEWAYS:
        dpi = dpi[::-1]
    packet = _XMP_ORIENTATION.sub(rb"\g<1>1\g<2>", xmp) if isinstance(xmp, bytes) else b""
    profile = icc if isinstance(icc, bytes) else b""
    return Metadata(profile, saved(exif), dpi, packet, gamma), orientation


def _exif(image: ImageFile) -> Image.Exif:
    with suppress(Exception):  # As for other hostile tags.
        return image.getexif()
    return Image.Exif()


def _plausible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """A density, unless it is none: some programs write 0, or 0/0, where they know nothing."""
    if dpi is None:
        return None
    across, down = dpi
    if not all(_LEAST_DENSITY <= each <= _MOST_DENSITY for each in (across, down)):  # nor NaN
        return None
    return across, down


def _resolution(exif: Image.Exif) -> tuple[float, float] | None:
    across, down, unit = (value(exif, tag) for tag in _DENSITY)
    units = _UNITS.get(unit)
    if units is None or not isinstance(across, _NUMBERS) or not isinstance(down, _NUMBERS):
        return None
    return float(across) * units, float(down) * units


def _png_chunk(data: bytes, wanted: bytes) -> bytes | None:
    """The content of a PNG's first chunk of a kind, wherever it is."""
    chunks = png_chunks(data)
    return next((data[at : at + size] for kind, at, size in chunks if kind == wanted), None)


def _png_profile(data: bytes) -> bytes | None:
    """A PNG's colour profile, of up to 16 MiB; Pillow reads one of 1 MiB at most."""
    _, _, content = (_png_chunk(data, b"iCCP") or b"").partition(b"\0")
    with suppress(zlib.error):
        inflating = zlib.decompressobj()
        profile = inflating.decompress(content[1:], _LONGEST_PROFILE)
        if inflating.eof:
            return profile
    return None


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turns and mirrors [H, W, C] pixels as EXIF orientation 1 to 8 asks (EXIF 2.3, tag 0x0112)."""
    if orientation in SIDEWAYS:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
