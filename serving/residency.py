"""Which models are open: each from when it is first asked for until memory is short."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from serving.cards import Card, read_card
from serving.digest import Identity, identity
from serving.errors import InvalidModel
from serving.model import Model, ModelInfo
from serving.processor import resident_mib

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a model since its file was opened, whatever became of the file.

    Attributes:
        info: what the file said of itself.
        card: its digest, and what its makers measured.
        file: what tells that it is still the same file.
    """

    info: ModelInfo
    card: Card
    file: Identity | None


class OpenModels:
    """Open model files; several threads may use it at once.

    As long as the process has more memory than it shall, what has not been asked for the longest is
    closed, and opened anew at need. Requests under way keep what they work with. What could not be
    opened again as it was, because its file has changed, stays.

    Args:
        most_mib: memory of the whole process; None is no limit.
    """

    def __init__(self, most_mib: int | None = None) -> None:
        self._most_mib = most_mib
        self._lock = Lock()
        # Held while a file is opened, which takes long: others need not wait for that.
        self._opening: dict[Path, Lock] = {}
        # The one that was asked for last comes last.
        self._models: dict[Path, Model] = {}
        self._known: dict[Path, Known] = {}

    def get(self, path: Path, read: Callable[[], Model], pinned: Path) -> Model:
        """The model of a file.

        Args:
            path: of the file.
            read: opens it.
            pinned: what stays open.

        Raises:
            InvalidModel: it cannot be served, or changes while it is opened.
        """
        with self._lock:
            opening = self._opening.setdefault(path, Lock())
            if model := self._touched(path):
                self._make_room({path, pinned})
                return model
        with opening:
            with self._lock:
                if model := self._touched(path):  # Somebody else has just opened it.
                    return model
            model, known = _opened(path, read)
            with self._lock:
                self._models[path] = model
                self._known[path] = known
                self._make_room({path, pinned})
            return model

    def known(self, path: Path, read: Callable[[], Model], pinned: Path) -> Known:
        """What is known of a file; arguments as :meth:`get`, but what is known is not opened."""
        if path not in self._known:
            self.get(path, read, pinned)
        return self._known[path]

    def knows(self, path: Path) -> bool:
        """Whether a file has been open."""
        return path in self._known

    def take_over(self, path: Path, other: OpenModels) -> bool:
        """Has what `other` has of a file instead of its own; tells whether that is open."""
        with other._lock:
            known, model = other._known.get(path), other._models.get(path)
        with self._lock:
            self._models.pop(path, None)
            self._known.pop(path, None)
            if known:
                self._known[path] = known
            if model:
                self._models[path] = model
        return model is not None

    def _touched(self, path: Path) -> Model | None:
        model = self._models.pop(path, None)
        if model:
            self._models[path] = model
        return model

    def _make_room(self, kept: set[Path]) -> None:
        for path in [path for path in self._models if path not in kept]:
            if self._most_mib is None or resident_mib() <= self._most_mib:
                return
            if identity(path) != self._known[path].file:
                continue
            del self._models[path]
            gc.collect()  # A model refers to itself.
            _log.info("closed %s: memory is short", path)


def _opened(path: Path, read: Callable[[], Model]) -> tuple[Model, Known]:
    before = identity(path)
    model = read()
    try:
        card = read_card(path)
    except OSError as error:
        raise InvalidModel(str(path), f"unreadable ({error})", "an ONNX model") from error
    if identity(path) != before:
        raise InvalidModel(str(path), "still changing", "a file that stays as it is")
    return model, Known(model.info, card, before)
