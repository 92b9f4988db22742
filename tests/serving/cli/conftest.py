from collections.abc import Callable
from pathlib import Path

import pytest

from serving import cli
from tests.serving.files import checker, write_png

Upscale = Callable[..., int]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(write_png(checker(3)))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two pictures, one of them in a folder of its own, and a text."""
    folder = tmp_path / "photos"
    (folder / "nested").mkdir(parents=True)
    (folder / "a.png").write_bytes(write_png(checker(3)))
    (folder / "nested" / "b.png").write_bytes(write_png(checker(1)))
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def upscale(address: str) -> Upscale:
    """Runs the command as a client of a running server."""

    def run(*arguments: object) -> int:
        return cli.main([*map(str, arguments), "--server", address])

    return run


def below(folder: Path) -> list[str]:
    """All files in a folder and those in it, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)
