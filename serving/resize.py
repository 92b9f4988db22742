"""Antialiased resampling of a picture that comes in strips.

The filter is Keys' cubic (1981, a = -0.5), widened when shrinking: what MATLAB's ``imresize`` does,
and what the networks' training pictures were made with. Colour is weighted by alpha, so that what
transparent pixels hide has no influence.
"""

from collections.abc import Iterator
from functools import partial
from math import ceil, floor

import numpy as np
from PIL import Image

from serving.pixels import Depth, Floats, Pixels, as_floats, empty, has_alpha, quantise
from serving.stages import Stages
from serving.strips import Strips, Window
from serving.tasks import Share, Task, TaskPool

_RADIUS = 2  # of the cubic, in pixels of the coarser picture
_ROWS = 64


def resize_strips(
    source: Strips, height: int, width: int, depth: Depth, pool: TaskPool | Share, stages: Stages
) -> Strips:
    """Resamples a picture to `height` rows of `width` pixels.

    Args:
        source: the picture.
        height: at least 1.
        width: at least 1.
        depth: type of the result's samples.
        pool: where strips are computed.
        stages: records that as ``resize``, and what the caller does between as ``wait``.
    """
    step = source.height / height
    reach = _RADIUS * max(1.0, step)

    def jobs() -> Iterator[tuple[Pixels, list[Task]]]:
        window = Window(source)
        for top in range(0, height, _ROWS):
            bottom = min(top + _ROWS, height)
            first = max(0, floor(top * step - reach))
            rows = window.take(first, min(source.height, ceil(bottom * step + reach)))
            strip = empty(bottom - top, width, source.channels, depth)
            part = (top * step - first, min(bottom * step - first, len(rows)))
            yield strip, [partial(_fill, strip, rows, part, stages)]

    return Strips(height, width, source.channels, depth, stages.each("wait", pool.products(jobs())))


def _fill(strip: Pixels, rows: Pixels, part: tuple[float, float], stages: Stages) -> None:
    """Resamples `part`, from one row to another (neither a whole number), into the strip."""
    with stages.measure("resize"):
        values = as_floats(rows)
        if not has_alpha(strip.shape[2]):
            strip[:] = quantise(_resample(values, strip, part), strip.dtype.type)
            return
        alpha = _resample(values[:, :, -1:], strip, part)
        colour = _resample(values[:, :, :-1] * values[:, :, -1:], strip, part)
        # Where alpha rounds to nothing, so does colour; nothing is divided by 0.
        least = np.float32(0.5 / np.iinfo(strip.dtype).max)
        colour = np.where(alpha < least, np.float32(0), colour / np.maximum(alpha, least))
        strip[:] = quantise(np.concatenate([colour, alpha], axis=2), strip.dtype.type)


def _resample(values: Floats, strip: Pixels, part: tuple[float, float]) -> Floats:
    """float32 [rows, W, C] to [strip rows, strip W, C]."""
    height, width = strip.shape[:2]
    box = (0, part[0], values.shape[1], part[1])
    planes = [
        np.asarray(
            Image.fromarray(values[:, :, channel]).resize(
                (width, height), Image.Resampling.BICUBIC, box
            )
        )
        for channel in range(values.shape[2])
    ]
    return np.stack(planes, axis=2)
