"""Transparency: colour and alpha go through the network apart, and never darken each other.

What a file stores under transparent pixels is arbitrary, usually black, and a network would smear
it over the edges. Premultiplying is no cure: the network then sees every edge as one against black,
and dividing by alpha afterwards brings out whatever it did differently to the two. So the visible
colour is continued into the transparent surroundings as far as the network can see.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def continuation_radii(halo: int) -> list[int]:
    """Steps by which colour is continued: their sum is more than the network's halo."""
    radii = [1]
    while sum(radii) <= halo:
        radii.append(2 * radii[-1])
    return radii


def continue_colour(colour: Floats, alpha: Floats, radii: list[int]) -> Floats:
    """Replaces the colour of transparent pixels by an average of the visible ones around them.

    In each step the empty pixels that see others within the radius (a square) take the mean of
    those, weighted by alpha; what was filled before counts fully. What stays out of reach is 0.

    Args:
        colour: float32 [H, W, C].
        alpha: float32 [H, W, 1] in [0, 1].
        radii: of the steps, in pixels; the result depends on nothing further away than their sum.

    Returns:
        float32 [H, W, C], equal to `colour` wherever alpha is above 0.
    """
    weight = alpha.copy()
    filled = np.where(weight > 0, colour, np.float32(0))
    for radius in radii:
        empty = weight == 0
        if not empty.any():
            break
        weights = _box_sum(weight, radius)
        reached = empty & (weights > 0)
        means = np.divide(
            _box_sum(filled * weight, radius), weights, out=np.zeros_like(filled), where=reached
        )
        filled = np.where(reached, means, filled)
        weight = np.where(reached, np.float32(1), weight)
    return filled


def bound_alpha(upscaled: Floats, alpha: Floats) -> Floats:
    """Limits upscaled alpha to what the source has at each pixel and its eight neighbours.

    A network keeps opaque areas opaque and empty ones empty only nearly; this makes it exact.

    Args:
        upscaled: float32 [sH, sW, 1].
        alpha: float32 [H, W, 1], of which `upscaled` was made.
    """
    height, width = alpha.shape[:2]
    scale = len(upscaled) // height
    padded = np.pad(alpha[:, :, 0], 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    lowest, highest = (
        bound.reshape(height, width, 1).repeat(scale, axis=0).repeat(scale, axis=1)
        for bound in (around.min(axis=(2, 3)), around.max(axis=(2, 3)))
    )
    bounded: Floats = np.clip(upscaled, lowest, highest)
    return bounded


def _box_sum(values: Floats, radius: int) -> Floats:
    """The sum over a square of side 2 * radius + 1 around each pixel of [H, W, C].

    Shifted copies are added in one order everywhere, unlike with running sums, so that the rounding
    does not depend on where a tile begins.
    """
    for axis in (0, 1):
        size = values.shape[axis]
        pad = [(radius, radius) if axis == other else (0, 0) for other in range(values.ndim)]
        padded = np.moveaxis(np.pad(values, pad), axis, 0)
        total = np.zeros_like(np.moveaxis(values, axis, 0))
        for shift in range(2 * radius + 1):
            total += padded[shift : shift + size]
        values = np.moveaxis(total, 0, axis)
    return values
