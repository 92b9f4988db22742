"""Pictures to begin with, for those who have none at hand."""

from dataclasses import dataclass
from pathlib import Path
from shutil import copy

from serving.codec.encode import encode
from serving.codec.formats import ImageFormat
from serving.codec.picture import Metadata
from serving.tasks import TaskPool
from serving.web.pictures import enlarged, open_picture

# Beside the packages; what is installed from a wheel comes without.
_CAT = Path(__file__).parents[2] / "examples" / "cat.png"
_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Example:
    """A picture to try, and the one that it should become, where that is known."""

    title: str
    picture: Path
    original: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All that there are."""
        return [path for path in (self.picture, self.original) if path]


def write_examples(folder: Path) -> list[Example]:
    """Puts the examples into `folder`; there are none where the project's own are not at hand."""
    if not _CAT.exists():
        return []
    cat = Path(copy(_CAT, folder))
    small = folder / "small_cat.png"
    pool = TaskPool(1)
    source = open_picture(cat)
    width, height = source.strips.width // _FACTOR, source.strips.height // _FACTOR
    shrunk = enlarged(source.strips, width, height, pool)
    small.write_bytes(b"".join(encode(shrunk, ImageFormat.PNG, Metadata(), quality=100)))
    pool.close()
    return [Example("A cat", cat), Example("The cat made small, and its original", small, cat)]
