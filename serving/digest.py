"""What tells a file's content from any other's."""

from hashlib import file_digest
from pathlib import Path

Identity = tuple[int, int, int, int]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file of any size, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def identity(path: Path) -> Identity | None:
    """What tells a file from others, and from itself before a change, without reading it.

    Inode, size, and the times of its content and of its inode, as whether it can be read at all
    depends on its owner and its mode. None where there is no such file.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
