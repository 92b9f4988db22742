from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.pixels import Depth, Pixels, empty
from serving.resize import resize_strips
from serving.stages import Stages
from serving.strips import Strips
from serving.tasks import TaskPool
from tests.serving.files import checker

SIDES = st.integers(1, 150)


def resized(pixels: Pixels, height: int, width: int, depth: Depth, part: int = 7) -> Pixels:
    """Through strips of `part` rows."""
    whole = Strips.of(pixels)
    parts = (pixels[top : top + part] for top in range(0, len(pixels), part))
    strips = Strips(whole.height, whole.width, whole.channels, whole.depth, parts)
    with closing(TaskPool(2)) as pool:
        return resize_strips(strips, height, width, depth, pool, Stages()).whole()


@settings(deadline=None, max_examples=40)
@given(height=SIDES, width=SIDES, rows=st.integers(1, 300), across=SIDES)
def test_strips_make_what_pillow_makes_of_the_whole(
    height: int, width: int, rows: int, across: int
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 1), dtype=np.uint8)
    expected = np.asarray(
        Image.fromarray(pixels[:, :, 0].astype(np.float32)).resize(
            (across, rows), Image.Resampling.BICUBIC
        )
    )
    result = resized(pixels, rows, across, np.uint8)[:, :, 0]
    assert np.abs(result - np.clip(expected, 0, 255)).max() <= 0.51


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_flat_pictures_stay_exact(channels: int, dtype: Depth) -> None:
    most = np.iinfo(dtype).max
    for value in (0, 1, most // 3, most):
        pixels = empty(9, 80, channels, dtype)
        pixels[:] = value
        if channels in (2, 4):
            pixels[:, :, -1] = most
        result = resized(pixels, 33, 29, dtype)
        assert result.dtype == dtype
        assert np.array_equal(result, np.broadcast_to(pixels[0, 0], result.shape))


def test_colour_has_no_fringe_at_transparent_pixels() -> None:
    for hidden in (0, 255):
        pixels = np.full((40, 40, 4), hidden, np.uint8)
        pixels[:, :, 3] = 0
        pixels[10:30, 10:30] = (200, 30, 90, 255)
        result = resized(pixels, 25, 25, np.uint8)
        visible = result[:, :, 3] > 0
        assert 0 < visible.sum() < visible.size
        assert (result[visible][:, :3] == (200, 30, 90)).all()
        assert (result[~visible] == 0).all()


def test_sixteen_bits_survive() -> None:
    pixels = checker(3, np.uint16, 30, 40)
    assert np.array_equal(resized(pixels, 30, 40, np.uint16), pixels)
