"""Runs a model over a picture of any size, tile by tile, several tiles at a time."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import numpy as np

from serving.errors import ImageTooLarge
from serving.grey import without_colour
from serving.model import Model
from serving.pixels import Depth, Pixels, empty, margin, upscale_pixels
from serving.stages import Stages
from serving.strips import Strips, Window
from serving.tasks import Share, Task, TaskPool
from serving.tiling import Span, even_tiles, plan_axis, round_up

DEFAULT_TILE = 288
# The most pixels that a model which cannot be tiled is given.
LARGEST_WHOLE = 1024 * 1024
# How far colour is continued under transparent pixels for such a model.
_WHOLE_HALO = 32


def upscale_strips(
    model: Model,
    source: Strips,
    depth: Depth,
    pool: TaskPool | Share,
    tile: int,
    stages: Stages,
    room: Pixels | None = None,
) -> Strips:
    """Upscales a picture by tiles of one shape, which keeps memory flat.

    Args:
        model: the network.
        source: the picture, of any kind that :func:`serving.pixels.upscale_pixels` takes.
        depth: type of the result's samples.
        pool: where tiles are computed; what else is to be done happens while they are.
        tile: a tile has at most as many input pixels as a square of this side; raised where
            overlaps would be most of it.
        stages: records each tile as ``upscale``, and what the caller does between as ``wait``.
        room: where the result goes, as a whole; without it, each strip has memory of its own.

    Returns:
        The result, `model.info.scale` times as long a side; a strip is a row of tiles.

    Raises:
        ImageTooLarge: the model cannot be run by tiles, and the picture not as a whole.
    """
    scale = model.info.scale
    down, across = _plan(model, source, tile, pool.workers)
    shape = (source.height * scale, source.width * scale, source.channels)

    def jobs() -> Iterator[tuple[Pixels, list[Task]]]:
        window = Window(source)
        for rows in down:
            region = window.take(rows.start, rows.stop)
            if room is None:
                strip = empty(rows.kept_size * scale, *shape[1:], depth)
            else:
                strip = room[rows.target(scale)]
            yield (
                strip,
                [
                    partial(_fill, strip, model, region[:, span.source], rows, span, stages)
                    for span in across
                ],
            )

    return Strips(*shape, depth=depth, parts=stages.each("wait", pool.products(jobs())))


def _plan(model: Model, source: Strips, tile: int, workers: int) -> tuple[list[Span], list[Span]]:
    """The spans of the tiles' rows, and of their columns: few, alike, some for each worker."""
    height, width, halo = source.height, source.width, model.info.halo
    if halo is None:
        if height * width > LARGEST_WHOLE:
            raise ImageTooLarge(
                "image",
                f"{width}x{height} = {height * width} pixels",
                f"at most {LARGEST_WHOLE} for model {model.info.name!r}, which looks at a picture "
                "as a whole and so cannot work by tiles; choose another model",
            )
        return [Span(0, height, 0, height)], [Span(0, width, 0, width)]
    multiple = model.multiple
    reach = round_up(margin(source.channels, halo), multiple)
    if model.fixed_size is None:
        largest = max(tile, 4 * reach)
        rows, columns = even_tiles(height, width, largest, reach, workers, multiple)
    else:
        rows, columns = model.fixed_size
    if min(rows, columns) <= 2 * reach:
        raise ImageTooLarge(
            "image",
            "transparent",
            f"none with alpha for model {model.info.name!r}, whose fixed size of {columns}x{rows} "
            "pixels leaves no room for it; choose another model",
        )
    return plan_axis(height, rows, reach, multiple), plan_axis(width, columns, reach, multiple)


def _fill(
    strip: Pixels, model: Model, region: Pixels, rows: Span, columns: Span, stages: Stages
) -> None:
    """Upscales one tile and puts what is kept of it into its place in the strip."""
    scale = model.info.scale
    with stages.measure("upscale"):
        result = _upscale(model, region, strip.dtype.type)
        strip[:, columns.target(scale)] = result[rows.kept(scale), columns.kept(scale)]


def _upscale(model: Model, region: Pixels, depth: Depth) -> Pixels:
    """[H, W, C] to [scale*H, scale*W, C] of type `depth`."""
    halo = _WHOLE_HALO if model.info.halo is None else model.info.halo
    if model.run_pixels and region.shape[2] == 3 and region.dtype == depth == np.uint8:
        levels = model.run_pixels(np.ascontiguousarray(region, np.uint8)[None])[0]
        result: Pixels = without_colour(levels, region, halo)
        return result
    return upscale_pixels(model.run, halo, region, depth)


def upscale(
    model: Model,
    pixels: Pixels,
    depth: Depth,
    pool: TaskPool | Share | None = None,
    tile: int = DEFAULT_TILE,
) -> Pixels:
    """Upscales a picture in memory; arguments as :func:`upscale_strips`, and by default one thread.

    Returns:
        Pixels of type `depth`, [scale*H, scale*W, C].
    """
    if pool is None:
        with closing(TaskPool(1)) as pool_of_one:
            return upscale(model, pixels, depth, pool_of_one, tile)
    height, width, channels = pixels.shape
    result = empty(height * model.info.scale, width * model.info.scale, channels, depth)
    strips = upscale_strips(model, Strips.of(pixels), depth, pool, tile, Stages(), result)
    for _ in strips.parts:
        pass
    return result
