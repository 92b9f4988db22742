from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.errors import ImageTooLarge, InvalidImage
from serving.strips import Strips
from serving.tasks import TaskPool
from serving.web import pictures
from serving.web.pictures import Comparison, compare, middle, open_picture, thumbnail
from serving.web.pictures import enlarged as enlarge
from tests.serving.files import checker, enlarged, read, write_png
from tests.serving.web.test_psnr import cut


@pytest.fixture
def pool() -> Iterator[TaskPool]:
    pool = TaskPool(1)
    yield pool
    pool.close()


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A picture, and one of four times the size."""
    small = np.linspace(0, 255, 20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
    paths = tmp_path / "small.png", tmp_path / "large.png"
    for path, pixels in zip(paths, (small, enlarged(small)), strict=True):
        path.write_bytes(write_png(pixels))
    return paths


def test_both_sides_have_the_results_size(
    pair: tuple[Path, Path], tmp_path: Path, pool: TaskPool
) -> None:
    comparison = compare(*pair, tmp_path, pool)
    before, after = (
        read(path.read_bytes()) for path in (comparison.whole.before, comparison.whole.after)
    )
    assert before.shape == after.shape == (80, 120, 3)
    assert comparison == Comparison(comparison.whole)
    result = read(pair[1].read_bytes()).astype(int)
    assert np.abs(after - result).mean() < 2 < np.abs(before - result).mean() + 2
    bicubic = Image.open(pair[0]).resize((120, 80), Image.Resampling.BICUBIC)
    assert np.abs(before - np.asarray(bicubic).astype(int)).mean() < 2


def test_a_result_that_a_browser_could_not_bear_is_shown_smaller(
    pair: tuple[Path, Path], tmp_path: Path, pool: TaskPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_SHOWN_PIXELS", 80 * 120 // 4)
    comparison = compare(*pair, tmp_path, pool)
    assert comparison.reduced_to == (60, 40)
    for path in (comparison.whole.before, comparison.whole.after):
        assert Image.open(path).size == (60, 40)


def test_then_the_middle_is_shown_at_full_size(
    pair: tuple[Path, Path], tmp_path: Path, pool: TaskPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_SHOWN_PIXELS", 100)
    monkeypatch.setattr(pictures, "_MIDDLE", (40, 32))
    detail = compare(*pair, tmp_path, pool).middle
    assert detail
    for path in (detail.before, detail.after):
        assert Image.open(path).size == (40, 32)


def test_the_middle_is_cut_out_of_what_the_whole_would_be(
    pool: TaskPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_MIDDLE", (40, 32))
    small = checker(3, height=20, width=30)
    result = checker(3, height=80, width=120)
    before, after = middle(Strips.of(small), cut(result, 7), pool)
    rows, columns = slice(24, 56), slice(40, 80)
    whole = enlarge(Strips.of(small), 120, 80, pool).whole()
    assert np.array_equal(before.whole(), whole[rows, columns])
    assert np.array_equal(after.whole(), result[rows, columns])


def test_the_middle_of_a_narrow_picture_is_all_of_its_width(pool: TaskPool) -> None:
    source, result = checker(1, height=500, width=3), checker(1, height=2000, width=12)
    before, after = middle(Strips.of(source), Strips.of(result), pool)
    assert before.whole().shape == after.whole().shape == (480, 12, 1)


def test_what_is_shown_tells_neither_place_nor_time(tmp_path: Path, pool: TaskPool) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    Image.fromarray(checker(3)).save(path, exif=exif)
    comparison = compare(path, path, tmp_path, pool)
    assert not Image.open(comparison.whole.after).getexif()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_thumbnail_is_a_small_jpeg_of_any_picture(
    channels: int, tmp_path: Path, pool: TaskPool
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(write_png(checker(channels, height=400, width=900)))
    (tmp_path / "thumbnail.jpg").write_bytes(thumbnail(open_picture(path), pool))
    with Image.open(tmp_path / "thumbnail.jpg") as image:
        assert image.width * image.height <= 320 * 240
        assert image.width / image.height == pytest.approx(900 / 400, rel=0.02)


def test_a_text_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("not a picture")
    with pytest.raises(InvalidImage):
        open_picture(path)


def test_a_small_file_of_more_pixels_than_the_service_takes_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.webp"
    Image.new("RGB", (6000, 6000)).save(path, lossless=True)
    with pytest.raises(ImageTooLarge, match="6000x6000"):
        open_picture(path)
