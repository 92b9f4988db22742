"""Results that appear whole or not at all."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO


@contextmanager
def written_whole(path: Path | None) -> Iterator[BinaryIO]:
    """A file to write, which takes its place once the block ends well.

    What processes that were killed have left half-written in its folder is removed.

    Args:
        path: the place; None is standard output, which then gets all at once.

    Raises:
        OSError: it cannot be written.
    """
    if path is None:
        with TemporaryFile() as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(path.parent.resolve())
    partial = path.with_name(_partial(os.getpid()))
    try:
        with partial.open("wb") as file:
            # By the clock that dates the other files of this disk.
            began = os.fstat(file.fileno()).st_mtime_ns
            yield file
        os.utime(partial, ns=(began, began))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _partial(process: int | str) -> str:
    """What a half-written file is called; other machines may write to the same disk."""
    return f".upscale.{platform.node()}.{process}.part"


@cache  # Once a folder is enough, which may be large.
def _clear(folder: Path) -> None:
    for path in folder.glob(_partial("*")):
        process = path.name.split(".")[-2]
        if process.isdecimal() and not _runs(int(process)):
            # Windows does not remove what is open, and has no way to ask that harms nobody.
            with suppress(OSError):
                path.unlink()


def _runs(process: int) -> bool:
    """Whether a process of this machine may still run."""
    if sys.platform == "win32":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
