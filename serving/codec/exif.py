"""Blocks of EXIF (CIPA DC-008) on their way into a file."""

from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from PIL import ExifTags, Image

MARKER = b"Exif\0\0"
INCH = 2

# The directory of a TIFF file mixes what describes the picture with what describes the file; only
# these are about the picture.
_DESCRIPTIVE = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Rating,
    ExifTags.Base.Copyright,
    ExifTags.Base.XPTitle,
    ExifTags.Base.XPComment,
    ExifTags.Base.XPAuthor,
    ExifTags.Base.XPKeywords,
    ExifTags.Base.XPSubject,
)
_SIZE = (ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength)
_SIZE_IN_EXIF = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


class _AsRead(str):
    """Text of a tag, each of whose characters stands for a byte of the file.

    So Pillow reads it, but it writes ASCII alone: names in UTF-8 became question marks.
    """

    __slots__ = ()

    def encode(self, _encoding: str = "", errors: str = "strict") -> bytes:
        """The bytes that it was read from."""
        return super().encode("latin-1", errors)


def _keep_text(tags: MutableMapping[int, Any]) -> None:
    for tag in list(tags):
        told = tags[tag]
        if isinstance(told, str):
            tags[tag] = _AsRead(told)
        elif isinstance(told, dict):
            _keep_text(told)


def value(exif: Image.Exif, tag: int) -> object:
    """What a tag says; None where it is not there, or cannot be read."""
    with suppress(Exception):  # Hostile tags make Pillow raise nearly anything.
        return exif.get(tag)
    return None


def forget_size(tags: Image.Exif) -> None:
    """Removes the tags that tell how many pixels there are: a result has others."""
    with suppress(Exception):  # As above.
        for tag in _SIZE:
            tags.pop(tag, None)
        if ExifTags.IFD.Exif in tags:
            directory = tags.get_ifd(ExifTags.IFD.Exif)
            for tag in _SIZE_IN_EXIF:
                directory.pop(tag, None)
            if not directory:
                del tags[ExifTags.IFD.Exif]


def about_the_picture(tags: Image.Exif) -> Image.Exif:
    """Those tags which go from a TIFF file's own directory into EXIF, and from there into one."""
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if (told := value(tags, tag)) is not None:
            kept[tag] = told
    for directory in _DIRECTORIES:
        with suppress(Exception):  # As above.
            entries = dict(tags.get_ifd(directory))
            entries.pop(ExifTags.IFD.Interop, None)  # a place in the old file
            if entries:
                kept[directory] = entries
    with suppress(Exception):  # As above.
        _keep_text(kept)
    return kept


def saved(exif: Image.Exif) -> bytes:
    """The block of some tags; nothing where there are none, or such as cannot be written."""
    with suppress(Exception):  # As above.
        if len(exif):
            _keep_text(exif)
            for directory in _DIRECTORIES:
                if isinstance(exif.get(directory), int):  # a place in the block
                    _keep_text(exif.get_ifd(directory))
            return exif.tobytes().removeprefix(MARKER)
    return b""


def loaded(block: bytes) -> Image.Exif:
    """The tags of a block."""
    exif = Image.Exif()
    exif.load(block)
    return exif


def shortened(block: bytes, longest: int) -> bytes:
    """As much of a block as fits into so many bytes: without the maker's note, or nothing."""
    if len(block) <= longest:
        return block
    exif = loaded(block)
    directory = dict(exif.get_ifd(ExifTags.IFD.Exif))
    directory.pop(ExifTags.Base.MakerNote, None)
    exif[ExifTags.IFD.Exif] = directory
    block = saved(exif)
    return block if len(block) <= longest else b""


def with_density(block: bytes, dpi: tuple[float, float]) -> bytes:
    """A block that tells the density, for formats that tell it nowhere else."""
    exif = loaded(block)
    exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = dpi
    exif[ExifTags.Base.ResolutionUnit] = INCH
    return saved(exif)
