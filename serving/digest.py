"""What tells a file's content from any other's."""

from hashlib import file_digest
from pathlib import Path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file of any size, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
