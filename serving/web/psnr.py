"""How near a picture is to its original."""

from math import inf, log10

import numpy as np

from serving.pixels import Floats, Pixels, as_floats
from serving.strips import Strips, Window
from serving.web.words import pixels_in_words

_ROWS = 64


class NotComparable(Exception):
    """Two pictures have no PSNR; says why in a sentence for people."""


def psnr_y(picture: Strips, original: Strips, border: int) -> float:
    """Peak signal-to-noise ratio in decibels, on luma (BT.601) without `border` pixels all around.

    As :mod:`srgan.metrics` has it, but strip by strip. Alpha is not looked at.

    Raises:
        NotComparable: the sizes differ, or nothing would be left without the border.
    """
    height, width = picture.height, picture.width
    if (height, width) != (original.height, original.width):
        raise NotComparable(
            f"The original has {pixels_in_words(original.width, original.height)}, "
            f"the result {pixels_in_words(width, height)}; PSNR needs the same size."
        )
    if min(height, width) <= 2 * border:
        raise NotComparable("The original is too small for a measurement of PSNR.")
    windows = Window(picture), Window(original)
    error = 0.0
    for top in range(0, height, _ROWS):
        bottom = min(top + _ROWS, height)
        one, other = (_luma(window.take(top, bottom)) for window in windows)
        rows = slice(max(border - top, 0), min(bottom, height - border) - top)
        columns = slice(border, width - border)
        difference = one[rows, columns].astype(np.float64) - other[rows, columns]
        error += float(np.square(difference).sum())
    mean = error / ((height - 2 * border) * (width - 2 * border))
    return -10 * log10(mean) if mean else inf


def _luma(pixels: Pixels) -> Floats:
    """[rows, W, C] to [rows, W], in [16 / 255, 235 / 255]."""
    values = as_floats(pixels)
    weights = [219.0] if pixels.shape[2] < 3 else [65.481, 128.553, 24.966]
    weighted = values[:, :, : len(weights)] @ np.array(weights, np.float32)
    luma: Floats = (weighted + np.float32(16)) / np.float32(255)
    return luma
