"""Files that are replaced while the server runs."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

# Looking is cheap, but not free.
_LOOK_AFTER_S = 1.0


class Watched:
    """Notices that any of some files is no longer what it was.

    Args:
        paths: of the files.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._known = self._state()
        self._looked = monotonic()

    def changed(self) -> bool:
        """Whether they have changed since this was last true; looks once a second at most."""
        now = monotonic()
        if now - self._looked < _LOOK_AFTER_S:
            return False
        self._looked = now
        state = self._state()
        if state == self._known:
            return False
        self._known = state
        return True

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_identity(path) for path in self._paths]


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
