"""EXIF orientation and the metadata that outlives an upscaling."""

import re
import struct

from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

from serving.codec.exif import INCH, MARKER
from serving.codec.formats import ImageFormat
from serving.codec.picture import Metadata
from serving.codec.tags import read_tags
from serving.pixels import Pixels

# EXIF orientations.
UPRIGHT, MIRRORED = 1, 2
SIDEWAYS = (5, 6, 7, 8)

_CENTIMETRE = 3
# Pixels an inch; what is outside is nonsense, and more than some formats can hold.
_LEAST_DENSITY, _MOST_DENSITY = 1e-3, 1e7

# As an attribute or as an element; both are in use.
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"\']|>))[2-8]([\"\'<])")

# A TIFF file's own directory mixes what describes the picture with what describes the file; only
# these are about the picture.
_DESCRIPTIVE = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
_DENSITY = (ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit)
_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


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
        icc, dpi = exif.get(ExifTags.Base.InterColorProfile), _resolution(exif)
        xmp, gamma = exif.get(ExifTags.Base.XMLPacket), None
    else:
        if format is ImageFormat.PNG:
            # Looking for an EXIF chunk behind the pixels, Pillow would decode them.
            image.info.setdefault("exif", _png_chunk(data, b"eXIf"))
        exif = image.getexif()
        icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
        if format is ImageFormat.JPEG and not image.info.get("jfif_unit"):
            dpi = None  # Pillow says 72 where nothing is told.
        dpi = dpi or _resolution(exif)
        xmp, gamma = image.info.get("xmp"), image.info.get("gamma")
    orientation = exif.get(ExifTags.Base.Orientation, UPRIGHT)
    if orientation not in range(1, 9):
        orientation = UPRIGHT
    if format is ImageFormat.TIFF:
        exif = _about_the_picture(exif)
    told_elsewhere = [ExifTags.Base.Orientation, *(_DENSITY if dpi else ())]
    for tag in told_elsewhere:
        exif.pop(tag, None)
    block = exif.tobytes().removeprefix(MARKER) if len(exif) else b""
    dpi = _plausible(dpi)
    if dpi and orientation in SIDEWAYS:
        dpi = dpi[::-1]
    packet = _XMP_ORIENTATION.sub(rb"\g<1>1\g<2>", xmp) if isinstance(xmp, bytes) else b""
    return Metadata(icc or b"", block, dpi, packet, gamma), orientation


def _plausible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """A density, unless it is none: some programs write 0, or 0/0, where they know nothing."""
    if dpi is None:
        return None
    across, down = float(dpi[0]), float(dpi[1])
    if not all(_LEAST_DENSITY <= each <= _MOST_DENSITY for each in (across, down)):  # nor NaN
        return None
    return across, down


def _resolution(exif: Image.Exif) -> tuple[float, float] | None:
    base = ExifTags.Base
    if base.XResolution not in exif or base.YResolution not in exif:
        return None
    inches = {INCH: 1.0, _CENTIMETRE: 2.54}.get(exif.get(base.ResolutionUnit, INCH))
    if inches is None:
        return None
    return float(exif[base.XResolution]) * inches, float(exif[base.YResolution]) * inches


def _about_the_picture(tags: Image.Exif) -> Image.Exif:
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in tags:
            kept[tag] = tags[tag]
    for directory in _DIRECTORIES:
        if entries := tags.get_ifd(directory):
            kept[directory] = dict(entries)
    return kept


def _png_chunk(data: bytes, wanted: bytes) -> bytes | None:
    """The content of a PNG's first chunk of a kind, wherever it is."""
    at = len(b"\x89PNG\r\n\x1a\n")
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == wanted:
            return data[at + 8 : at + 8 + size]
        at += 8 + size + 4
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
