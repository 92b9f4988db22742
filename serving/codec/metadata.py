"""EXIF orientation and the metadata that outlives an upscaling."""

from PIL import ExifTags, Image

from serving.codec.formats import ImageFormat
from serving.codec.picture import Metadata
from serving.pixels import Pixels

EXIF_MARKER = b"Exif\0\0"

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
_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


def read_metadata(image: Image.Image, format: ImageFormat) -> tuple[Metadata, int]:
    """What to carry over from an opened image, as it applies to upright pixels.

    Returns:
        The metadata, and the EXIF orientation that they no longer tell: 1 to 8, where 1 is upright
        and also stands for none or nonsense.
    """
    exif = image.getexif()
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    if format is ImageFormat.TIFF:
        kept = Image.Exif()
        for tag in _DESCRIPTIVE:
            if tag in exif:
                kept[tag] = exif[tag]
        for directory in _DIRECTORIES:
            if entries := exif.get_ifd(directory):
                kept[directory] = dict(entries)
        exif = kept
    exif.pop(ExifTags.Base.Orientation, None)
    block = exif.tobytes().removeprefix(EXIF_MARKER) if len(exif) else b""
    metadata = Metadata(icc=image.info.get("icc_profile") or b"", exif=block)
    return metadata, orientation if orientation in range(1, 9) else 1


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turns and mirrors [H, W, C] pixels as EXIF orientation 1 to 8 asks (EXIF 2.3, tag 0x0112)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
