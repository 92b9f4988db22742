"""The log of a run: what its process said while it trained, in a file of the run's folder."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import distributed

__all__ = ["logged", "read_warnings", "remembering"]

_WARNING = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:WARNING|ERROR|CRITICAL) (.+)$", re.M)


class _Memory(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


_memory = _Memory()


@contextmanager
def remembering() -> Iterator[None]:
    """Keep what is logged until a run has a folder: :func:`logged` writes it there, too."""
    logging.getLogger().addHandler(_memory)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(_memory)
        _memory.records.clear()


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Append what is logged meanwhile to ``path``, and what :func:`remembering` has kept.

    Of several processes only the main one does.
    """
    if not distributed.is_main():
        yield
        return
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
    )
    for record in _memory.records:
        handler.handle(record)
    _memory.records.clear()
    logging.getLogger().removeHandler(_memory)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def read_warnings(path: Path) -> list[tuple[str, str]]:
    """Return time and first line of each warning; none where there is no log."""
    return _WARNING.findall(path.read_text()) if path.exists() else []
