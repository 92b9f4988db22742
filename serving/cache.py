"""What was found out once about this machine or a model file, kept for the next start."""

import json
import os
from pathlib import Path
from typing import Any


class Cache:
    """A small file of JSON values in the user's cache folder; without it all works, but slower.

    Args:
        name: of the file, less its suffix.
    """

    def __init__(self, name: str) -> None:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self._file = Path(folder) / "srgan-service" / f"{name}.json"

    def get(self, key: str) -> Any:
        """The value of a key, or None where there is none."""
        return self._read().get(key)

    def put(self, key: str, value: Any) -> None:
        """Keeps a value that JSON can hold, if the folder can be written to."""
        partial = self._file.with_suffix(f".{os.getpid()}.part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(self._read() | {key: value}, indent=1))
            partial.replace(self._file)
        except OSError:
            return

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}
