"""Results that appear whole or not at all."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO


@contextmanager
def written_whole(path: Path | None) -> Iterator[BinaryIO]:
    """A file to write, which takes its place once the block ends well.

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
    partial = path.with_name(f".upscale.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            # By the clock that dates the other files of this disk.
            began = os.fstat(file.fileno()).st_mtime_ns
            yield file
        os.utime(partial, ns=(began, began))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
