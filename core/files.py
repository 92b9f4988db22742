"""Files that appear whole or not at all, and folders that one process at a time fills."""

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = [
    "appearing", "appearing_folder", "check_place", "locked", "naming", "remove_unfinished",
]  # fmt: skip

logger = logging.getLogger(__name__)
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let a full or broken disk's error, which names no file, name ``path``."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _OF_THE_DISK:
            error.filename = str(path)
        raise


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Yield a temporary file's path; the file takes ``path``'s place once the block ends well.

    A crash at any instant leaves the old file or the new one. The folder is made if need be. The
    file gets the permissions of any other new file, however the block makes it.

    Args:
        path: the file; the temporary one is hidden beside it and has the same suffix.

    Raises:
        OSError: if the file cannot be written; it names ``path`` where the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        with naming(path):
            yield temporary
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
            _flush(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed in :func:`appearing` left in a folder.

    The caller sees to it that no other process writes there.
    """
    for left in folder.glob(".*.part*"):
        if left.is_file():
            left.unlink(missing_ok=True)


@contextmanager
def appearing_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; it takes ``folder``'s place once the block ends well.

    Temporary folders that killed processes left beside it are removed first. None may be in use:
    the caller holds the lock of :func:`locked`.

    Args:
        folder: absent or empty, to be filled with files alone; the temporary one is hidden beside
            it.

    Raises:
        OSError: naming ``folder`` where the disk is full.
    """
    for left in folder.parent.glob(".*.part/"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = folder.with_name(f".{folder.name}.part")
    try:
        with naming(folder):
            temporary.mkdir()
            yield temporary
            for path in temporary.iterdir():
                _flush(path)
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_place(path: Path) -> None:
    """See that a file can be written, before the work that it is to hold; its folder is made.

    Raises:
        OSError: naming what stands in the way.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same folder waiting until the block ends.

    That goes for those of one torchrun as for commands that were started by hand. However a process
    ends, the next one goes on. The folder is made if need be, and keeps an empty file ``.lock``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.info("waiting for another process, which is at work in %s", folder)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
