from pathlib import Path

import numpy as np
from PIL import Image

from serving.cli.compare import side_by_side
from tests.serving.cli.conftest import Upscale, below
from tests.serving.files import checker, enlarged, write_png


def test_a_comparison_shows_bicubic_on_the_left_and_the_result_on_the_right(
    photo: Path, upscale: Upscale
) -> None:
    assert upscale(photo, "--compare") == 0
    assert below(photo.parent) == ["photo.png", "photo_x4.png", "photo_x4_compare.png"]
    with Image.open(photo.with_name("photo_x4_compare.png")) as sheet:
        assert sheet.width > 2 * 36
        left = np.asarray(sheet.crop((0, sheet.height - 24, 36, sheet.height)))
        right = np.asarray(sheet.crop((sheet.width - 36, sheet.height - 24, *sheet.size)))
    small = Image.fromarray(checker(3))
    assert np.array_equal(left, np.asarray(small.resize((36, 24), Image.Resampling.BICUBIC)))
    assert np.array_equal(right, enlarged(checker(3)))


def test_every_kind_of_picture_can_be_shown(photo: Path, upscale: Upscale) -> None:
    for channels, depth in ((1, np.uint8), (2, np.uint8), (4, np.uint16)):
        photo.write_bytes(write_png(checker(channels, depth)))
        assert upscale(photo, "--compare") == 0
        with Image.open(photo.with_name("photo_x4_compare.png")) as sheet:
            assert sheet.mode == "RGB"


def test_what_is_transparent_is_shown_on_white(photo: Path, upscale: Upscale) -> None:
    pixels = np.zeros((6, 9, 4), np.uint8)
    photo.write_bytes(write_png(pixels))
    assert upscale(photo, "--compare") == 0
    with Image.open(photo.with_name("photo_x4_compare.png")) as sheet:
        assert np.asarray(sheet)[-24:].min() == 255


def test_the_titles_say_which_is_which() -> None:
    sheet = side_by_side(Image.new("RGB", (50, 50)), Image.new("RGB", (200, 200)), "x4-fast")
    titles = np.asarray(sheet)[: sheet.height - 200]
    assert titles[:, :200].min() < 128
    assert titles[:, 208:].min() < 128
