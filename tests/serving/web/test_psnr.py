from math import inf

import numpy as np
import pytest
import torch

from serving.pixels import Pixels
from serving.strips import Strips
from serving.web.psnr import NotComparable, psnr_y
from srgan import metrics
from tests.serving.files import checker


def large(channels: int) -> Pixels:
    return checker(channels, height=150, width=97)


def cut(pixels: Pixels, rows: int) -> Strips:
    """The picture in strips of so many rows."""
    height, width, channels = pixels.shape
    parts = (pixels[top : top + rows] for top in range(0, height, rows))
    return Strips(height, width, channels, pixels.dtype.type, parts)


def tensor(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float64) / 255).permute(2, 0, 1)[None]


@pytest.mark.parametrize("border", [0, 4, 48])
def test_it_is_what_the_evaluation_measures_however_the_strips_are_cut(border: int) -> None:
    one, other = large(3), np.roll(large(3), 1, axis=1)
    expected = metrics.psnr(
        metrics.crop_border(metrics.luma(tensor(one)), border),
        metrics.crop_border(metrics.luma(tensor(other)), border),
    )
    assert psnr_y(cut(one, 7), cut(other, 64), border) == pytest.approx(expected, abs=1e-3)


def test_grey_and_colour_of_equal_looks_do_not_differ() -> None:
    grey = large(1)
    assert psnr_y(Strips.of(grey), Strips.of(grey.repeat(3, axis=2)), 4) > 120


def test_equal_pictures_have_no_noise() -> None:
    picture = checker(4)
    assert psnr_y(Strips.of(picture), Strips.of(picture), 0) == inf


def test_pictures_of_different_sizes_are_not_compared() -> None:
    with pytest.raises(NotComparable, match="The original has 9 x 6 pixels, the result 97 x 150"):
        psnr_y(Strips.of(large(3)), Strips.of(checker(3)), 0)


def test_a_picture_that_is_all_border_is_not_measured() -> None:
    with pytest.raises(NotComparable, match="too small"):
        psnr_y(Strips.of(checker(3)), Strips.of(checker(3)), 3)
