"""Every command of docs/upscale.md does what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.programs import ENVIRONMENT, ROOT

PAGE = (ROOT / "docs" / "upscale.md").read_text()
COMMANDS = [re.sub(r" +#.*", "", line) for line in re.findall(r"^    (\S.*)$", PAGE, re.MULTILINE)]
SHELL = f'set -o pipefail; upscale() {{ "{sys.executable}" -m serving.cli "$@"; }}; '

# What each leaves behind, with its width; the reader's photograph is 240 pixels wide.
LEFT: dict[str, dict[str, int]] = {
    "upscale photo.jpg": {"photo_x4.jpg": 960},
    "upscale photo.jpg -o large.png": {"large.png": 960},
    "upscale photo.jpg --format webp --quality 80": {"photo_x4.webp": 960},
    "upscale photo.jpg --scale 2.5": {"photo_x2.5.jpg": 600},
    "upscale photo.jpg --width 1920": {"photo_w1920.jpg": 1920},
    "upscale photo.jpg --scale 8 --max-height 1080": {"photo_x8_maxh1080.jpg": 1440},
    "upscale info photo.jpg": {},
    "upscale photos": {"photos_x4/a.jpg": 960, "photos_x4/nested/b.jpg": 960},
    "upscale photos -o large --format jpg": {"large/a.jpg": 960, "large/nested/b.jpg": 960},
    "upscale photos --dry-run": {},
    "upscale photos/*.jpg photo.jpg -o some": {"some/a.jpg": 960, "some/photo.jpg": 960},
    "upscale 'photos/**/*.jpg' -o some": {"some/a.jpg": 960, "some/nested/b.jpg": 960},
    "upscale photos --overwrite": {"photos_x4/a.jpg": 960, "photos_x4/nested/b.jpg": 960},
    "upscale - < photo.jpg > large.jpg": {"large.jpg": 960},
    "cat photo.jpg | upscale - --format png --scale 2 > large.png": {"large.png": 480},
    "upscale photo.jpg -o - --format webp > large.webp": {"large.webp": 960},
    "upscale models": {},
    "upscale photo.jpg -o large.png --model x4-fast-fp32": {"large.png": 960},
    "upscale photo.jpg -o large.png --compare": {"large.png": 960, "large_compare.png": 1928},
    "upscale photo.jpg --threads 1 --tile 64": {"photo_x4.jpg": 960},
    "upscale photos --json": {"photos_x4/a.jpg": 960, "photos_x4/nested/b.jpg": 960},
    "upscale models --json": {},
    "upscale info photos --json": {},
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where the reader is."""
    (tmp_path / "photos" / "nested").mkdir(parents=True)
    with Image.open(ROOT / "examples" / "cat.png") as cat:
        photo = cat.convert("RGB").resize((240, 180))
    for name in ("photo.jpg", "photos/a.jpg", "photos/nested/b.jpg"):
        photo.save(tmp_path / name)
    return tmp_path


def test_the_page_has_these_commands() -> None:
    assert list(LEFT) == COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("command", LEFT)
def test_a_command_leaves_what_the_page_says(command: str, here: Path, cache: Path) -> None:
    before = pictures(here)
    done = subprocess.run(
        ["bash", "-c", SHELL + command],
        cwd=here,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    left = {name: width for name, width in pictures(here).items() if name not in before}
    assert left == LEFT[command]


def pictures(folder: Path) -> dict[str, int]:
    """The width of each file below a folder, all of which are pictures."""
    widths = {}
    for path in filter(Path.is_file, folder.rglob("*")):
        with Image.open(path) as image:
            widths[path.relative_to(folder).as_posix()] = image.width
    return widths
