"""The image file formats that are read and written, and what each can hold."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path

from serving.errors import InvalidOption

DEFAULT_QUALITY = 95
QUALITIES = range(1, 101)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a file format can hold.

    Attributes:
        title: its name as people write it.
        suffixes: endings of its files' names, the usual one first.
        deep: whether samples may have 16 bits.
        alpha: whether pixels may be transparent.
        longest_side: most pixels of one side.
    """

    title: str
    suffixes: tuple[str, ...]
    deep: bool
    alpha: bool
    longest_side: int


class Compression(IntEnum):
    """How hard a lossless file is compressed; its numbers are those of the public interface."""

    FAST = 1
    SMALL = 2


class ImageFormat(Enum):
    """A file format; the names are those of the public interface and of Pillow."""

    PNG = Traits("PNG", (".png",), deep=True, alpha=True, longest_side=2**31 - 1)
    JPEG = Traits("JPEG", (".jpg", ".jpeg"), deep=False, alpha=False, longest_side=65_500)
    WEBP = Traits("WebP", (".webp",), deep=False, alpha=True, longest_side=16_383)
    TIFF = Traits("TIFF", (".tif", ".tiff"), deep=True, alpha=True, longest_side=2**31 - 1)
    BMP = Traits("BMP", (".bmp",), deep=False, alpha=False, longest_side=2**31 - 1)

    @property
    def suffix(self) -> str:
        """The usual ending of its files' names."""
        return self.value.suffixes[0]

    @classmethod
    def of_suffix(cls, path: Path) -> "ImageFormat | None":
        """The format that a file's name promises, if any."""
        suffix = path.suffix.lower()
        return next((format for format in cls if suffix in format.value.suffixes), None)


TITLES = ", ".join(format.value.title for format in ImageFormat)
SUFFIXES = ", ".join(suffix for format in ImageFormat for suffix in format.value.suffixes)


def check_quality(quality: int) -> None:
    """Refuses what is no quality of a lossy format's file.

    Raises:
        InvalidOption: it is out of range.
    """
    if quality not in QUALITIES:
        raise InvalidOption(
            "options.quality", quality, f"{QUALITIES.start} to {QUALITIES.stop - 1}"
        )
