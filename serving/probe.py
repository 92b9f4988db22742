"""Finds out what a model file from elsewhere does not say of itself, by running it on a test card.

The scale is what the shapes tell. The range of values is the one at which the network returns its
input, only larger. The halo is how far from an artificial border the result is not yet what it is
on a larger picture; a network for which that is everywhere (attention over the whole picture,
instance normalisation) cannot be run by tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from serving.errors import InvalidModel
from serving.hints import Hints, Range
from serving.session import Floats

Network = Callable[[Floats], Floats]

LEVELS: dict[Range, float] = {"0..1": 1.0, "0..255": 255.0}
# The mean difference between input and shrunk result that makes a range credible, and how many
# times larger than at the other range it must be to rule a range out.
_CREDIBLE = 0.1
_CLEARLY = 1.5
_UNSEEN = 0.5 / 255
# What tells a network that depends on all of a picture from one that looks far and sees little.
_MUCH = 2 / 255
SMALLEST_CARD = 64
_SIDES = (SMALLEST_CARD, 128, 256)
_MULTIPLES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Traits:
    """What was found out.

    Attributes:
        scale: factor by which each side grows.
        multiple: what the sides of an input must be multiples of.
        input_range: range of the samples.
        halo: radius of the receptive field in input pixels, or None for the whole picture.
    """

    scale: int
    multiple: int
    input_range: Range
    halo: int | None


def probe(run: Network, side: tuple[int, int] | None, hints: Hints, source: str) -> Traits:
    """Finds out what `hints` do not tell.

    Args:
        run: the network as it is, float32 [1, 3, H, W] to [1, 3, sH, sW].
        side: the only H and W that it takes, or None.
        hints: what is known.
        source: names the file in errors.

    Raises:
        InvalidModel: it cannot be run, or is no enlargement, or neither range fits, or it takes one
            size only and sees all of that.
    """
    scale = probe_scale(run, side, source)
    input_range = hints.input_range or probe_range(run, side, scale, source)
    multiple = 1 if side else probe_multiple(run, scale)
    most = np.float32(LEVELS[input_range])
    halo = hints.halo
    if halo is None:
        halo = probe_halo(lambda card: run(card * most) / most, side, scale, multiple)
    if side and (halo is None or 2 * halo >= min(side)):
        raise InvalidModel(
            source,
            f"made for {side[1]}x{side[0]} pixels only, and sees them all",
            "a model that takes any size, or sees less",
        )
    return Traits(scale, multiple, input_range, halo)


def probe_multiple(run: Network, scale: int) -> int:
    """The least power of 2 up to 64 whose multiples are sides that the network takes."""
    for multiple in _MULTIPLES:
        side = SMALLEST_CARD + multiple
        try:
            shape = run(_card(side, side)).shape
        except Exception:  # ONNX Runtime's own errors share no other base class.
            continue
        if shape == (1, 3, side * scale, side * scale):
            return multiple
    return SMALLEST_CARD


def probe_scale(run: Network, side: tuple[int, int] | None, source: str) -> int:
    """The factor by which a network enlarges.

    Args:
        run: the network as it is, float32 [1, 3, H, W] to [1, 3, sH, sW].
        side: the only H and W that it takes, or None.
        source: names the file in errors.

    Raises:
        InvalidModel: it cannot be run, or the result's shape is not a multiple of the input's.
    """
    height, width = side or (SMALLEST_CARD, SMALLEST_CARD)
    try:
        shape = run(_card(height, width)).shape
    except Exception as error:  # ONNX Runtime's own errors share no other base class.
        raise InvalidModel(
            source,
            f"a model that cannot be run on {height}x{width} pixels ({error})",
            "one float32 tensor [N, 3, H, W] in and one out, any H and W or fixed ones",
        ) from error
    scale = int(shape[-1]) // width
    if shape != (1, 3, height * scale, width * scale) or scale < 1:
        raise InvalidModel(
            f"{source}: output", list(shape), f"[1, 3, s * {height}, s * {width}] for a whole s"
        )
    return scale


def probe_range(run: Network, side: tuple[int, int] | None, scale: int, source: str) -> Range:
    """The range of values that a network is made for; arguments as :func:`probe_scale`.

    Raises:
        InvalidModel: neither range fits.
    """
    height, width = side or (SMALLEST_CARD, SMALLEST_CARD)
    card = _card(height, width)
    # Away from the border, where networks that do not pad with care are dark.
    inside = tuple(slice(size // 8, size - size // 8) for size in (height, width))
    errors: dict[tuple[Range, Range], float] = {}
    for taken, most in LEVELS.items():
        result = run(card * np.float32(most)).reshape(3, height, scale, width, scale)
        for given, level in LEVELS.items():
            difference = np.abs(result.mean(axis=(2, 4)) / level - card[0])
            errors[taken, given] = float(difference[:, *inside].mean())
    # A network with little bias does the same at both ranges, and was made for the smaller one: the
    # biases of one made for 255 would drown samples of at most 1.
    small, large = errors["0..1", "0..1"], errors["0..255", "0..255"]
    best: Range = "0..255" if small > _CLEARLY * large else "0..1"
    if not errors[best, best] <= _CREDIBLE:  # nor may it be NaN
        for (taken, given), error in errors.items():
            if error <= _CREDIBLE:
                raise InvalidModel(
                    f"{source}: range of values",
                    f"{taken} where it takes them and {given} where it gives them",
                    "one for both; divide or multiply by 255 inside the model",
                )
        raise InvalidModel(
            f"{source}: range of values",
            "not told by its metadata, nor by its results",
            f"the option --input-range, {' or '.join(LEVELS)}",
        )
    return best


def probe_halo(
    run: Network, side: tuple[int, int] | None, scale: int, multiple: int = 1
) -> int | None:
    """How many input pixels around an output pixel have an influence that can be seen.

    Two windows that overlap are cut out of one test card; near their borders the results differ.
    Their statistics hardly do, so surroundings are exchanged as well.

    Args:
        run: the network on [0, 1].
        side: the only H and W that it takes, or None.
        scale: of the network.
        multiple: of sides and positions, to which the result may be bound.

    Returns:
        The halo, or None for a network that sees the whole picture, or too much of it.
    """
    squares = [(each, each) for each in _SIDES if each > 2 * multiple]
    for height, width in [side] if side else squares:
        # Odd where it may be: networks that work by blocks shall show it.
        shift = (min(height, width) // 4 | 1) if multiple == 1 else max(multiple, height // 4)
        card = _card(height + shift, width + shift)
        first = run(card[:, :, :height, :width])
        second = run(card[:, :, shift:, shift:])
        inside = first[:, :, shift * scale :, shift * scale :]
        difference = np.abs(inside - second[:, :, : inside.shape[2], : inside.shape[3]]).max((0, 1))
        seen = _blocks(difference, scale) > _UNSEEN
        # Distance to the nearest border of the common part; all four are artificial in one window.
        depths = [
            np.minimum(np.arange(size), np.arange(size)[::-1]) + 1
            for size in (height - shift, width - shift)
        ]
        depth = np.minimum(depths[0][:, None], depths[1][None, :])
        reach = int((depth * seen).max())
        if reach < depth.max() // 2 and not _sees_surroundings(run, height, width, scale):
            return reach
    return None


def _sees_surroundings(run: Network, height: int, width: int, scale: int) -> bool:
    """Whether the centre of a picture depends on what is a fifth of its sides away and farther."""
    card = _card(height, width)
    noise = np.random.default_rng(1).integers(0, 2, card.shape).astype(np.float32)
    middle = tuple(slice(size // 4, size - size // 4) for size in (height, width))
    centre = tuple(
        slice(scale * (size * 7 // 16), scale * -(-size * 9 // 16)) for size in (height, width)
    )
    results = []
    for surroundings in (np.full_like(card, 0.5), noise):
        surroundings[:, :, *middle] = card[:, :, *middle]
        results.append(run(surroundings)[:, :, *centre])
    return bool(np.abs(results[0] - results[1]).max() > _MUCH)


def _blocks(values: Floats, scale: int) -> Floats:
    """The largest of each scale x scale values."""
    height, width = (side // scale for side in values.shape)
    largest: Floats = values.reshape(height, scale, width, scale).max(axis=(1, 3))
    return largest


def _card(height: int, width: int) -> Floats:
    """A test card, float32 [1, 3, H, W] in [0, 1]: colour wedges, half of them under noise.

    Its statistics differ from place to place, which shows networks that depend on them.
    """
    down, across = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    wedges = np.stack([across, down, 1 - across * down])
    noise = np.random.default_rng(0).random((3, height, width)) - 0.5
    card = np.clip(wedges * 0.8 + 0.1 + noise * 0.5 * (across > down), 0, 1)
    return card[None].astype(np.float32)
