"""What a model is called: a name, perhaps with a version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_VERSIONED = re.compile(r"(.+)@([1-9][0-9]{0,8})", re.DOTALL)
# Of a file that tells none.
FIRST = 1


@dataclass(frozen=True, slots=True)
class ModelName:
    """A name as files and requests have it, taken apart.

    Attributes:
        stem: all but the version (``x4-fast``, ``x4-fast-int8``).
        version: or None where none is told.
    """

    stem: str
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Takes ``STEM`` or ``STEM@VERSION`` apart; any text is a name."""
        match = _VERSIONED.fullmatch(text)
        return cls(match[1], int(match[2])) if match else cls(text)

    @classmethod
    def of_file(cls, path: Path) -> ModelName:
        """The name of a model file, whose version is always known."""
        name = cls.parse(path.stem)
        return cls(name.stem, name.version or FIRST)

    def __str__(self) -> str:
        return self.stem if self.version is None else f"{self.stem}@{self.version}"
