"""Where a picture's result goes."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serving.cli.errors import WrongUse
from serving.cli.inputs import Found
from serving.codec.formats import SUFFIXES, ImageFormat

STREAM = "-"


class Destination(Protocol):
    """Where results go."""

    def of(self, picture: Found, label: str, format: ImageFormat | None) -> Path | None:
        """The result's file; None for standard output.

        Args:
            picture: the picture.
            label: what tells a result from its picture where both are in one folder.
            format: of the result, unless the destination tells it; None for the picture's.
        """


@dataclass(frozen=True)
class File:
    """One file; None is standard output."""

    path: Path | None

    def of(self, picture: Found, label: str, format: ImageFormat | None) -> Path | None:  # noqa: ARG002
        """That file."""
        return self.path


@dataclass(frozen=True)
class Folder:
    """A folder of all results, in folders like those that the pictures were found in."""

    path: Path

    def of(self, picture: Found, label: str, format: ImageFormat | None) -> Path:  # noqa: ARG002
        """A file called like the picture."""
        stem, suffix = _stem_and_suffix(picture.path, format)
        return self.path / picture.place.with_name(stem + suffix)


@dataclass(frozen=True)
class Beside:
    """Beside what was named: a file beside a file, a folder of all results beside a folder."""

    def of(self, picture: Found, label: str, format: ImageFormat | None) -> Path:
        """A file that bears the label in its name, or in that of its folder."""
        if picture.folder is None:
            stem, suffix = _stem_and_suffix(picture.path, format)
            return picture.path.with_name(stem + label + suffix)
        folder = picture.folder
        if folder.name in ("", ".."):
            folder = folder.resolve()
        return Folder(folder.with_name(folder.name + label)).of(picture, label, format)


def destination(output: str | None, alone: bool, format: ImageFormat | None) -> Destination:
    """What ``--output`` means.

    Args:
        output: the option's value.
        alone: whether there is one picture, and it was not named by its folder.
        format: what ``--format`` says.

    Raises:
        WrongUse: it cannot be written to.
    """
    if output is None:
        return Beside()
    if output == STREAM:
        return _standard_output(alone)
    path = Path(output)
    told = ImageFormat.of_suffix(path)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return Folder(path)
    if not alone:
        if told or path.exists():
            raise WrongUse("output", output, "a folder, as there are several pictures")
        return Folder(path)
    if told is None:
        raise WrongUse("output", output, f"a name that ends in one of {SUFFIXES}")
    if format not in (None, told):
        raise WrongUse("format", "given", f"none beside output, or that of {path.name}")
    if not path.parent.is_dir():
        raise WrongUse("output", output, "a folder that exists")
    return File(path)


def _standard_output(alone: bool) -> File:
    if not alone:
        raise WrongUse("output", STREAM, "a folder, as there are several pictures")
    if sys.stdout.isatty():
        raise WrongUse("output", "a terminal", "a file or a pipe")
    return File(None)


def _stem_and_suffix(path: Path, format: ImageFormat | None) -> tuple[str, str]:
    own = ImageFormat.of_suffix(path)
    suffix = path.suffix if own and format in (None, own) else (format or ImageFormat.PNG).suffix
    return (path.stem if own else path.name), suffix
