"""A network gives no colour to what is grey, however it is stored, and tiles change nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.catalog import BUNDLED
from serving.engine import upscale
from serving.grey import grey_around, without_colour
from serving.model import Model, load_model
from serving.pixels import Depth, Pixels
from tests.serving.files import checker


def stored_as_colour(grey: Pixels) -> Pixels:
    """[H, W, 1 or 2] as [H, W, 3 or 4]."""
    pixels: Pixels = grey[:, :, [0, 0, 0, *range(1, grey.shape[2])]]
    return pixels


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2])
def test_grey_stored_as_colour_is_upscaled_as_grey(
    random: Model, channels: int, depth: Depth
) -> None:
    grey = checker(channels, depth, 40, 50)
    expected = stored_as_colour(upscale(random, grey, depth))
    assert np.array_equal(upscale(random, stored_as_colour(grey), depth), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x4-gan", "x4-gan-int8"])
def test_bundled_models_give_grey_no_colour(name: str) -> None:
    model = load_model(BUNDLED / f"{name}.onnx")
    grey = checker(1, height=40, width=40)
    result = upscale(model, stored_as_colour(grey), np.uint8)
    assert (result == result[:, :, :1]).all()
    difference = result[:, :, :1].astype(int) - upscale(model, grey, np.uint8)
    assert np.abs(difference).max() <= 1


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    top=st.integers(0, 70),
    left=st.integers(0, 70),
    tile=st.integers(16, 60),
    alpha=st.booleans(),
)
def test_tiled_equals_whole_where_a_picture_is_partly_grey(
    random: Model, height: int, width: int, top: int, left: int, tile: int, alpha: bool
) -> None:
    pixels = stored_as_colour(checker(2, height=height, width=width))[:, :, : 4 if alpha else 3]
    pixels[top : top + 3, left : left + 3, 0] ^= 1
    tiled = upscale(random, pixels, np.uint8, tile=tile)
    whole = upscale(random, pixels, np.uint8, tile=1000)
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_only_what_is_grey_all_around_is_averaged() -> None:
    source = stored_as_colour(checker(1, height=9, width=12))
    source[4, 3, 2] ^= 1
    result = checker(3, height=18, width=24).astype(np.uint8)
    averaged = without_colour(result, source, radius=2)
    near = np.zeros((18, 24), bool)
    near[4:14, 2:12] = True
    assert np.array_equal(averaged[near], result[near])
    mean = np.rint(result.mean(axis=2, dtype=np.float32))
    assert np.array_equal(averaged[~near], stored_as_colour(mean[:, :, None])[~near])
    assert without_colour(result, checker(3, height=9, width=12), radius=2) is result


@pytest.mark.parametrize("radius", [0, 1, 3, 20])
def test_grey_around_is_what_looking_at_each_square_gives(radius: int) -> None:
    generator = np.random.default_rng(radius)
    source = np.full((13, 17, 3), 9)
    places = generator.integers(0, 13 * 17, 4)
    source.reshape(-1, 3)[places, generator.integers(0, 3, 4)] += 1
    expected = [
        [bool((_square(source, top, left, radius) == 9).all()) for left in range(17)]
        for top in range(13)
    ]
    assert np.array_equal(grey_around(source, radius), expected)


def _square(source: np.ndarray, top: int, left: int, radius: int) -> np.ndarray:
    rows = slice(max(0, top - radius), top + radius + 1)
    return source[rows, max(0, left - radius) : left + radius + 1]
