"""From what the command line names to picture files."""

import glob
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from serving.cli.errors import WrongUse
from serving.cli.names import is_result
from serving.codec.formats import SUFFIXES, ImageFormat

Words = Annotated[
    tuple[str, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="PICTURE", help_behavior_hint=""),
]
"""Names of pictures, as a command takes them."""


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


@dataclass(frozen=True)
class Absent:
    """A name by which no picture is found.

    Attributes:
        name: as the command line has it.
        error: what is wrong with it.
    """

    name: str
    error: WrongUse


def check_named(named: Sequence[str], allowed: str) -> None:
    """Refuses a command line that names nothing.

    Raises:
        WrongUse: there is no name, or one of no letters, as an unset variable of the shell gives;
            taken for a path, it would be the folder that one is in.
    """
    if not named:
        raise WrongUse("image", "not given", allowed)
    if "" in named:
        raise WrongUse("image", "an empty word", allowed)


def find(named: Sequence[str], without: Path | None = None) -> tuple[list[Found], list[Absent]]:
    """All pictures that are named, each once, and the names that lead to none.

    Folders are searched to the bottom, those that links lead to as well. In folders and by patterns
    only files with the suffix of a picture are found, and no hidden ones. Folders that are called
    like the results of a folder beside them are left out.

    Args:
        named: files, folders, and patterns with ``*``, ``?``, ``[`` and ``**``.
        without: a folder that is not searched, as results are written there.
    """
    found: dict[str, Found] = {}
    absent: list[Absent] = []

    def closed(error: OSError) -> None:
        if isinstance(error, PermissionError):  # others are not there, or no longer
            name = str(error.filename)
            absent.append(Absent(name, WrongUse("image", "closed", "a folder that may be read")))

    for name in _without_results(named):
        try:
            for picture in _find(name, without, closed):
                real = os.path.realpath(picture.path)
                if real not in found or found[real].path.is_symlink():
                    found[real] = picture
        except WrongUse as error:
            absent.append(Absent(name, error))
    return list(found.values()), absent


def _without_results(named: Sequence[str]) -> list[str]:
    """What is named, without folders of results, as ``*/`` finds them the second time."""
    folders = [Path(name) for name in named if Path(name).is_dir()]
    beside = {folder: {each.name for each in folders if each.parent == folder.parent}
              for folder in folders}  # fmt: skip
    return [name for name in named if not is_result(Path(name).name, beside.get(Path(name), ()))]


def _find(name: str, without: Path | None, closed: Callable[[OSError], None]) -> Iterator[Found]:
    path = Path(name)
    if path.is_file():
        yield Found(path, Path(path.name))
        return
    if path.is_dir():
        top, parts, folder = path, ["**", "*"], path
    elif glob.has_magic(name):
        top, folder = _fixed_part(path), None
        parts = list(path.relative_to(top).parts)
        if parts[-1] == "**":
            parts.append("*")
    else:
        raise WrongUse("image", "absent", "a file that exists, a folder or a pattern")
    pictures = [each for each in sorted(set(_matching(top, parts, closed))) if _is_picture(each)]
    places = [each.relative_to(top) for each in pictures if _is_searched(each.parent, top, without)]
    if not places:
        raise WrongUse("image", "absent", f"a folder or pattern with pictures ({SUFFIXES})")
    yield from (Found(top / place, place, folder) for place in places)


def _matching(
    folder: Path, parts: Sequence[str], closed: Callable[[OSError], None]
) -> Iterator[Path]:
    """What is in a folder and called as the parts of a pattern say."""
    first, *rest = parts
    if first == "**":
        for each in _folders(folder, closed):
            yield from _matching(each, rest, closed)
        return
    for each in folder.glob(first):
        if not rest:
            yield each
        elif each.is_dir():
            yield from _matching(each, rest, closed)


def _folders(top: Path, closed: Callable[[OSError], None]) -> Iterator[Path]:
    """A folder and all that are in it and not hidden, each once, wherever links lead."""
    seen = set()
    # Links come last, so that a folder is called by its own name where it has one here.
    waiting = deque([top])
    while waiting:
        for name, below, _ in os.walk(waiting.popleft(), onerror=closed):
            if (real := os.path.realpath(name)) in seen:
                below.clear()
                continue
            seen.add(real)
            folder = Path(name)
            yield folder
            below[:] = [each for each in below if not each.startswith(".")]
            waiting.extend(folder / each for each in below if (folder / each).is_symlink())


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
