"""Files that are replaced while the server runs."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Generic, TypeVar

from serving.digest import Identity, identity
from serving.errors import InvalidConfig

# Looking is cheap, but not free.
_LOOK_AFTER_S = 1.0

_log = logging.getLogger(__name__)

Content = TypeVar("Content")


class Watched(Generic[Content]):
    """Reads some files, and reads them again once they are no longer what they were.

    What cannot be read then is tried again at every look: time mends a certificate that is not
    valid yet. Until it can, why is logged once.

    Attributes:
        content: of the files, when they could last be read.

    Args:
        name: of what they hold, for the log.
        paths: of the files.
        read: their content.

    Raises:
        InvalidConfig: they cannot be read.
    """

    def __init__(self, name: str, paths: Sequence[Path], read: Callable[[], Content]) -> None:
        self._name = name
        self._paths = paths
        self._read = read
        self._known = self._state()
        self.content = read()
        self._looked = monotonic()
        self._complaint = ""

    def renewed(self) -> bool:
        """Whether the content has been read anew just now; looks once a second at most."""
        now = monotonic()
        if now - self._looked < _LOOK_AFTER_S:
            return False
        self._looked = now
        state = self._state()
        if state == self._known:
            return False
        try:
            self.content = self._read()
        except InvalidConfig as error:
            if str(error) != self._complaint:
                _log.error("the %s stay as they were: %s", self._name, error)
            self._complaint = str(error)
            return False
        self._known, self._complaint = state, ""
        _log.info("read the %s anew", self._name)
        return True

    def _state(self) -> list[Identity | None]:
        return [identity(path) for path in self._paths]
