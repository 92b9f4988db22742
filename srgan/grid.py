"""The checkerboard: what a generator paints alike into the square of each low-resolution pixel.

A generator that ends in a pixel shuffle makes each square of ``scale x scale`` pixels from one
place of its last layer. A discriminator and a perceptual network ask for fine texture, and the
cheapest is a few strokes that are the same in every square. Averaged over the squares around, true
texture cancels out, as does what is missing of it; what repeats stays.
"""

import math

import torch.nn.functional as F
from torch import Tensor

from srgan.metrics import luma

__all__ = ["grid_share", "repeating"]

_WINDOW = 8  # squares along a side, over which they are averaged


def repeating(picture: Tensor, scale: int) -> Tensor:
    """Return the average square within each window of 8x8 squares, or of all where there are fewer.

    Args:
        picture: ``[N, C, H, W]``, whose sides ``scale`` divides.
        scale: side of a square in pixels.

    Returns:
        ``[N, C * scale**2, h, w]``: a place for each window, half of which the next one covers too.
    """
    squares = F.pixel_unshuffle(picture, scale)
    window = min(_WINDOW, *squares.shape[-2:])
    return F.avg_pool2d(squares, window, stride=max(window // 2, 1))


def grid_share(picture: Tensor, scale: int) -> float:
    """Return the share of a picture's finest detail that repeats from square to square.

    Detail is luma without its average around, and its share is one of energy. About 0.01 in
    photographs; a checkerboard that can be seen in smooth places has several times that.

    Args:
        picture: ``[1, 3, H, W]`` in [0, 1].
        scale: side of a square in pixels.

    Returns:
        A number of at most 1; NaN where there is no detail, or no side of ten squares.
    """
    height, width = (side // scale * scale for side in picture.shape[-2:])
    if min(height, width) < (_WINDOW + 2) * scale:
        return math.nan
    y = luma(picture[..., :height, :width])
    detail = y[..., scale:-scale, scale:-scale] - _around(y, scale)[..., 1:-1, 1:-1]
    energy = repeating(detail.square(), scale).mean(dim=1)
    # Of detail that repeats nowhere, the average of n squares still holds 1/n of the energy.
    chance = 1 / _WINDOW**2
    found = repeating(detail, scale).square().mean(dim=1) - chance * energy
    return float(found.clamp(min=0).sum() / energy.sum() / (1 - chance))


def _around(plane: Tensor, scale: int) -> Tensor:
    """Average twice over a square, which holds no grid any more, and keeps a ramp where it is."""
    return F.avg_pool2d(F.avg_pool2d(plane, scale, stride=1), scale, stride=1)
