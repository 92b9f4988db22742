"""From what the command line names to picture files."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.cli.errors import WrongUse
from serving.cli.names import is_result
from serving.codec.formats import SUFFIXES, ImageFormat


@dataclass(frozen=True)
class Found:
    """A picture file that the command line names, by itself or by its folder or a pattern.

    Attributes:
        path: the file.
        place: where its result belongs in a folder of results.
        folder: the folder that was named, if one was.
    """

    path: Path
    place: Path
    folder: Path | None = None


def find(named: Sequence[str], without: Path | None = None) -> list[Found]:
    """All pictures that are named, each once; folders are searched to the bottom.

    In folders and by patterns only files with the suffix of a picture are found, and no hidden
    ones. Folders that are called like the results of a folder beside them are left out.

    Args:
        named: files, folders, and patterns with ``*``, ``?``, ``[`` and ``**``.
        without: a folder that is not searched, as results are written there.

    Raises:
        WrongUse: a file does not exist, or a folder or pattern has no pictures.
    """
    found: dict[str, Found] = {}
    for name in named:
        for picture in _find(name, without):
            found.setdefault(os.path.realpath(picture.path), picture)
    return list(found.values())


def _find(name: str, without: Path | None) -> Iterator[Found]:
    path = Path(name)
    if path.is_file():
        yield Found(path, Path(path.name))
        return
    if path.is_dir():
        top, pattern, folder = path, "**/*", path
    elif glob.has_magic(name):
        top, folder = _fixed_part(path), None
        pattern = str(path.relative_to(top))
    else:
        raise WrongUse("image", name, "a file that exists, a folder or a pattern")
    pictures = [each for each in sorted(top.glob(pattern)) if _is_picture(each)]
    places = [each.relative_to(top) for each in pictures if _is_searched(each.parent, top, without)]
    if not places:
        raise WrongUse("image", name, f"a folder or pattern with pictures ({SUFFIXES})")
    yield from (Found(top / place, place, folder) for place in places)


def _is_picture(path: Path) -> bool:
    known = ImageFormat.of_suffix(path) is not None
    return known and not path.name.startswith(".") and path.is_file()


def _is_searched(folder: Path, top: Path, without: Path | None) -> bool:
    """Whether a folder's pictures are inputs, and not results, nor hidden."""
    while folder != top:
        if without and os.path.realpath(folder) == os.path.realpath(without):
            return False
        if folder.name.startswith(".") or is_result(folder.name, _Folders(folder.parent)):
            return False
        folder = folder.parent
    return True


@dataclass(frozen=True)
class _Folders:
    """The names of the folders in a folder."""

    parent: Path

    def __contains__(self, name: object) -> bool:
        return (self.parent / str(name)).is_dir()


def _fixed_part(pattern: Path) -> Path:
    """The folder above the first part of a pattern that stands for several names."""
    fixed = Path()
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        fixed /= part
    return fixed
