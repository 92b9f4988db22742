"""The model files of a folder, and how to see that they have changed."""

from pathlib import Path

from serving.digest import Identity, identity
from serving.model import SUFFIX

Contents = dict[Path, Identity]


def model_files(source: Path) -> list[Path]:
    """The model files of a folder, or the one that is named, if it is there."""
    return [
        path
        for path in (sorted(source.glob(f"*{SUFFIX}")) if source.is_dir() else [source])
        # Hidden files may be half written.
        if path.is_file() and path.suffix == SUFFIX and not path.name.startswith(".")
    ]


def contents(*sources: Path) -> Contents:
    """What identifies the content of each model file that there is now."""
    return {
        path: found
        for source in sources
        for path in model_files(source)
        if (found := identity(path))
    }
