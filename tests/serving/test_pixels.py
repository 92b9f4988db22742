import numpy as np
import pytest

from serving.engine import upscale
from serving.model import Model
from serving.pixels import Depth, Pixels


def square_on_transparent(colour: tuple[int, ...], hidden: int = 0) -> Pixels:
    """An opaque square in the middle of 32x32 transparent pixels of the value `hidden`."""
    pixels = np.full((32, 32, len(colour) + 1), hidden, np.uint8)
    pixels[:, :, -1] = 0
    pixels[12:20, 12:20] = (*colour, 255)
    return pixels


@pytest.mark.parametrize("colour", [(255,), (200, 30, 90)])
def test_an_object_on_transparent_black_has_no_fringe(
    random: Model, colour: tuple[int, ...]
) -> None:
    result = upscale(random, square_on_transparent(colour), np.uint8)
    on_its_own_colour = upscale(random, np.full((32, 32, len(colour)), colour, np.uint8), np.uint8)
    visible = result[:, :, -1] > 0
    assert 0 < visible.sum() < visible.size
    assert np.array_equal(result[visible][:, :-1], on_its_own_colour[visible])


@pytest.mark.parametrize("colour", [(200,), (200, 30, 90)])
@pytest.mark.parametrize("hidden", [0, 255])
def test_colour_under_partial_alpha_stays_exact(
    nearest: Model, colour: tuple[int, ...], hidden: int
) -> None:
    pixels = square_on_transparent(colour, hidden)
    pixels[12, 12:20, -1] = [1, 20, 77, 128, 200, 254, 9, 5]
    result = upscale(nearest, pixels, np.uint8)
    visible = result[:, :, -1] > 0
    assert (result[visible][:, :-1] == colour).all()
    assert np.array_equal(result[:, :, -1], pixels[:, :, -1].repeat(4, axis=0).repeat(4, axis=1))


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_what_transparent_pixels_hide_has_no_influence(random: Model, depth: Depth) -> None:
    black, white = square_on_transparent((9, 8, 7), 0), square_on_transparent((9, 8, 7), 255)
    result = upscale(random, black, depth)
    assert np.array_equal(result, upscale(random, white, depth))
    assert (result[result[:, :, 3] == 0] == 0).all()


def test_opaque_and_empty_areas_stay_so(random: Model) -> None:
    result = upscale(random, square_on_transparent((50, 60, 70)), np.uint8)
    assert (result[13 * 4 : 19 * 4, 13 * 4 : 19 * 4, 3] == 255).all()
    assert (result[: 11 * 4, :, 3] == 0).all()


def test_an_opaque_image_looks_the_same_with_and_without_alpha(random: Model) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    opaque = np.concatenate([colour, np.full((20, 30, 1), 255, np.uint8)], axis=2)
    result = upscale(random, opaque, np.uint8)
    assert np.array_equal(result[:, :, :3], upscale(random, colour, np.uint8))
    assert (result[:, :, 3] == 255).all()


def test_grey_is_the_mean_of_what_the_network_makes_of_equal_channels(random: Model) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (20, 30, 1), dtype=np.uint8)
    colour = upscale(random, grey.repeat(3, axis=2), np.uint8).astype(float)
    result = upscale(random, grey, np.uint8)
    assert result.shape == (80, 120, 1)
    # The channels' own clipping moves their mean by more than rounding; leave those pixels out.
    unclipped = ((colour > 0) & (colour < 255)).all(axis=2)
    assert np.abs(result[:, :, 0] - colour.mean(axis=2))[unclipped].max() <= 1


def test_eight_bits_come_of_sixteen_by_rounding(nearest: Model) -> None:
    pixels = np.array([[[0, 128, 129], [32767, 32768, 65535]]], np.uint16)
    result = upscale(nearest, pixels, np.uint8)
    assert result[0, ::4].tolist() == [[0, 0, 1], [127, 128, 255]]
