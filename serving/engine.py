"""Runs a model over a picture of any size, tile by tile."""

from collections.abc import Iterator

import numpy as np

from serving.model import Model
from serving.pixels import Depth, Pixels, margin, upscale_pixels
from serving.tiling import Tile, plan

DEFAULT_TILE = 256


def upscale_tiles(
    model: Model, pixels: Pixels, depth: Depth, tile: int = DEFAULT_TILE
) -> Iterator[tuple[Tile, Pixels]]:
    """Upscales a picture by tiles of one shape, which keeps memory flat, row by row from the top.

    Each step of the iterator is one tile's work: between two steps the caller may do other work, or
    give up.

    Args:
        model: the network.
        pixels: uint8 or uint16 [H, W, C], C from 1 to 4 as :func:`serving.pixels.upscale_pixels`.
        depth: type of the result's samples.
        tile: side of a tile in input pixels; raised where overlaps would be most of it.

    Yields:
        A tile and its finished part of the result, which belongs at the tile's ``target``.
    """
    height, width = pixels.shape[:2]
    scale = model.info.scale
    reach = margin(pixels, model.info.halo)
    for place in plan(height, width, max(tile, 4 * reach, 1), reach):
        region = pixels[place.rows.source, place.columns.source]
        result = upscale_pixels(model.run, model.info.halo, region, depth)
        yield place, result[place.rows.kept(scale), place.columns.kept(scale)]


def upscale(model: Model, pixels: Pixels, depth: Depth, tile: int = DEFAULT_TILE) -> Pixels:
    """Upscales a whole picture; arguments as :func:`upscale_tiles`.

    Returns:
        Pixels of type `depth`, [scale*H, scale*W, C].
    """
    height, width, channels = pixels.shape
    scale = model.info.scale
    result = np.empty((height * scale, width * scale, channels), dtype=depth)
    for place, part in upscale_tiles(model, pixels, depth, tile):
        result[place.rows.target(scale), place.columns.target(scale)] = part
    return result
