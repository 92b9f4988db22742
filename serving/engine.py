"""Runs a model over a picture of any size, tile by tile, several tiles at a time."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from serving.model import Model
from serving.pixels import Depth, Pixels, empty, margin, upscale_pixels
from serving.stages import Stages
from serving.strips import Strips, Window
from serving.tasks import Task, TaskPool
from serving.tiling import Span, plan_axis

DEFAULT_TILE = 256


def upscale_strips(
    model: Model, source: Strips, depth: Depth, pool: TaskPool, tile: int, stages: Stages
) -> Strips:
    """Upscales a picture by tiles of one shape, which keeps memory flat.

    Args:
        model: the network.
        source: the picture, of any kind that :func:`serving.pixels.upscale_pixels` takes.
        depth: type of the result's samples.
        pool: where tiles are computed; what else is to be done happens while they are.
        tile: side of a tile in input pixels; raised where overlaps would be most of it.
        stages: records each tile as ``upscale``, and what the caller does between as ``wait``.

    Returns:
        The result, `model.info.scale` times as long a side; a strip is a row of tiles.
    """
    scale = model.info.scale
    reach = margin(source.channels, model.info.halo)
    tile = max(tile, 4 * reach, 1)
    columns = plan_axis(source.width, tile, reach)
    shape = (source.height * scale, source.width * scale, source.channels)

    def jobs() -> Iterator[tuple[Pixels, list[Task]]]:
        window = Window(source)
        for rows in plan_axis(source.height, tile, reach):
            region = window.take(rows.start, rows.stop)
            strip = empty(rows.kept_size * scale, *shape[1:], depth)
            yield (
                strip,
                [
                    partial(_fill, strip, model, region[:, span.source], rows, span, stages)
                    for span in columns
                ],
            )

    return Strips(*shape, depth=depth, parts=stages.each("wait", pool.products(jobs())))


def _fill(
    strip: Pixels, model: Model, region: Pixels, rows: Span, columns: Span, stages: Stages
) -> None:
    """Upscales one tile and puts what is kept of it into its place in the strip."""
    scale = model.info.scale
    with stages.measure("upscale"):
        result = upscale_pixels(model.run, model.info.halo, region, strip.dtype.type)
        strip[:, columns.target(scale)] = result[rows.kept(scale), columns.kept(scale)]


def upscale(model: Model, pixels: Pixels, depth: Depth, tile: int = DEFAULT_TILE) -> Pixels:
    """Upscales a picture in memory; arguments as :func:`upscale_strips`.

    Returns:
        Pixels of type `depth`, [scale*H, scale*W, C].
    """
    with closing(TaskPool(1)) as pool:
        return upscale_strips(model, Strips.of(pixels), depth, pool, tile, Stages()).whole()
