"""Grey pictures that are stored as colour: what had no colour gets none.

A network may give a little colour to pixels of three equal channels. Where it can have seen nothing
else its channels are averaged, as those of pictures stored as grey are. That is decided pixel by
pixel, from no more of the input than the network looks at, so that tiled is equal to whole.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result", NDArray[np.uint8], NDArray[np.float32])
Mask = NDArray[np.bool_]


def without_colour(result: Result, source: NDArray[np.generic], radius: int) -> Result:
    """Averages the channels of a result wherever its source is grey all around.

    Args:
        result: [sH, sW, 3], what a network made of `source`.
        source: [H, W, 3].
        radius: how far around a pixel of the source that is.

    Returns:
        [sH, sW, 3]; `result` itself where the source is grey nowhere.
    """
    mask = grey_around(source, radius)
    if not mask.any():
        return result
    scale = len(result) // len(source)
    mask = mask.repeat(scale, axis=0).repeat(scale, axis=1)[:, :, None]
    mean = result.mean(axis=2, keepdims=True, dtype=np.float32)
    if result.dtype == np.uint8:
        mean = np.rint(mean)
    averaged: Result = np.where(mask, mean.astype(result.dtype), result)
    return averaged


def grey_around(source: NDArray[np.generic], radius: int) -> Mask:
    """Which pixels of [H, W, 3] have equal channels, and so have all in the square around them.

    What lies beyond the border is no objection: a picture's own has nothing there.
    """
    red, green, blue = source[:, :, 0], source[:, :, 1], source[:, :, 2]
    grey: Mask = (red == green) & (green == blue)
    for axis in (0, 1):
        if not grey.any():
            break
        grey = _all_around(grey, radius, axis)
    return grey


def _all_around(mask: Mask, radius: int, axis: int) -> Mask:
    """Whether all of the mask within the radius along an axis is set.

    Runs of so many set places are joined to runs of twice as many, until two of them, which may
    overlap, make up the whole window: a few passes over bytes, whatever the radius.
    """
    runs = mask if axis == 0 else mask.T
    beyond = np.ones((radius, runs.shape[1]), bool)
    runs, length, window = np.concatenate([beyond, runs, beyond]), 1, 2 * radius + 1
    while 2 * length <= window:
        runs, length = runs[:-length] & runs[length:], 2 * length
    size = len(runs) - (window - length)
    clear: Mask = runs[:size] & runs[len(runs) - size :]
    return clear if axis == 0 else clear.T
