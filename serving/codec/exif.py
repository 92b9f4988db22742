"""Blocks of EXIF (CIPA DC-008) on their way into a file."""

from PIL import ExifTags, Image

MARKER = b"Exif\0\0"
INCH = 2


def shortened(block: bytes, longest: int) -> bytes:
    """As much of a block as fits into so many bytes: without the maker's note, or nothing."""
    if len(block) <= longest:
        return block
    exif = _loaded(block)
    directory = dict(exif.get_ifd(ExifTags.IFD.Exif))
    directory.pop(ExifTags.Base.MakerNote, None)
    exif[ExifTags.IFD.Exif] = directory
    block = _saved(exif)
    return block if len(block) <= longest else b""


def with_density(block: bytes, dpi: tuple[float, float]) -> bytes:
    """A block that tells the density, for formats that tell it nowhere else."""
    exif = _loaded(block)
    exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = dpi
    exif[ExifTags.Base.ResolutionUnit] = INCH
    return _saved(exif)


def _loaded(block: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(block)
    return exif


def _saved(exif: Image.Exif) -> bytes:
    return exif.tobytes().removeprefix(MARKER)
