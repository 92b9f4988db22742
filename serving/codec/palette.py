"""Palettes that hold only grey."""

import numpy as np
from PIL.ImageFile import ImageFile

_RED_GREEN_BLUE = 3


def is_grey(image: ImageFile) -> bool:
    """Whether a file has a palette, of greys alone. No pixel is decoded."""
    if image.mode not in ("P", "PA") or image.palette is None:
        return False
    order, palette = image.palette.getdata()
    levels = np.frombuffer(bytes(palette), np.uint8)
    if order.endswith(";L"):  # all reds, then all greens
        levels = levels.reshape(_RED_GREEN_BLUE, -1).T
    else:
        whole = len(levels) - len(levels) % len(order)
        levels = levels[:whole].reshape(-1, len(order))[:, :_RED_GREEN_BLUE]
    return bool((levels == levels[:, :1]).all())
