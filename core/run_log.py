"""The log of a run: what its process said while it trained, in a file of the run's folder."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import distributed

__all__ = ["logged", "read_warnings"]

_WARNING = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:WARNING|ERROR|CRITICAL) (.+)$", re.M)


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Append what is logged meanwhile to ``path``; of several processes only the main one does."""
    if not distributed.is_main():
        yield
        return
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
    )
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def read_warnings(path: Path) -> list[tuple[str, str]]:
    """Return time and first line of each warning; none where there is no log."""
    return _WARNING.findall(path.read_text()) if path.exists() else []
