"""Files out of a zip or tar into one folder, complete or not at all."""

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from core.command import UserError
from core.files import appearing_folder

__all__ = ["extract"]

_Member = tuple[PurePosixPath, Callable[[], IO[bytes]]]


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as content:
        for name in content.namelist():
            yield PurePosixPath(name), partial(content.open, name)


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as content:
        for member in content:
            if member.isfile():
                opener = partial(content.extractfile, member)
                yield PurePosixPath(member.name), cast(Callable[[], IO[bytes]], opener)


def extract(
    archive: Path, folder: Path, wanted: Callable[[PurePosixPath], bool], count: int
) -> None:
    """Unpack files of an archive; the caller holds the lock on where ``folder`` will lie.

    Args:
        archive: a .zip or .tar file.
        folder: where the files are put; it appears when all of them are there.
        wanted: tells by a member's path whether it is one of them.
        count: how many there must be.

    Raises:
        UserError: if the file is no such archive, or holds another number of them.
        OSError: naming ``folder`` where the disk is full.
    """
    members = _tar_members(archive) if archive.suffix == ".tar" else _zip_members(archive)
    found = 0
    try:
        with appearing_folder(folder) as unfinished:
            for path, opener in members:
                if wanted(path):
                    # Only the last part of a member's path is used, so none lands elsewhere.
                    with opener() as packed, (unfinished / path.name).open("wb") as out:
                        shutil.copyfileobj(packed, out, 1 << 20)
                    found += 1
            if found != count:
                raise UserError(f"{archive} holds {found} of the {count} files of {folder.name}")
    except (zipfile.BadZipFile, zlib.error, tarfile.TarError) as error:
        raise UserError(f"{archive} cannot be unpacked ({error}): remove it") from error
