"""Which models are open: each from when it is first asked for until memory is short."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from serving.model import Model, ModelInfo
from serving.processor import resident_mib

_log = logging.getLogger(__name__)


class OpenModels:
    """Open model files; several threads may use it at once.

    As long as the process has more memory than it shall, what has not been asked for the longest is
    closed, and opened anew at need. Requests under way keep what they work with.

    Args:
        most_mib: memory of the whole process; None is no limit.
    """

    def __init__(self, most_mib: int | None = None) -> None:
        self._most_mib = most_mib
        self._lock = Lock()
        # The one that was asked for last comes last.
        self._models: dict[Path, Model] = {}
        self._infos: dict[Path, ModelInfo] = {}

    def get(self, path: Path, read: Callable[[], Model], pinned: Path) -> Model:
        """The model of a file.

        Args:
            path: of the file.
            read: opens it.
            pinned: what stays open.

        Raises:
            InvalidModel: it cannot be served.
        """
        with self._lock:
            model = self._models.pop(path, None) or read()
            self._models[path] = model
            self._infos[path] = model.info
            self._make_room({path, pinned})
            return model

    def info(self, path: Path, read: Callable[[], Model], pinned: Path) -> ModelInfo:
        """What a file says of itself; arguments as :meth:`get`, but what is known is not opened."""
        known = self._infos.get(path)
        return known or self.get(path, read, pinned).info

    def knows(self, path: Path) -> bool:
        """Whether a file has been open."""
        return path in self._infos

    def take_over(self, path: Path, other: OpenModels) -> bool:
        """Has what `other` has of a file instead of its own; tells whether that is open."""
        with self._lock:
            self._models.pop(path, None)
            self._infos.pop(path, None)
            # The other one may be in use meanwhile.
            if info := other._infos.get(path):
                self._infos[path] = info
            if model := other._models.get(path):
                self._models[path] = model
            return model is not None

    def _make_room(self, kept: set[Path]) -> None:
        for path in [path for path in self._models if path not in kept]:
            if self._most_mib is None or resident_mib() <= self._most_mib:
                return
            del self._models[path]
            gc.collect()  # A model refers to itself.
            _log.info("closed %s: memory is short", path)
