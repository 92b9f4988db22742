"""Large pictures piece by piece: what a network makes of a whole one, in bounded memory."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["upscale_in_tiles"]

_SIDE = 192  # then SRResNet at 4x takes about 0.8 GB


def _spans(length: int, side: int, halo: int) -> list[tuple[int, int]]:
    """Divide a length into parts of ``side``, or leave it whole where it is one part with halos."""
    if length <= side + 2 * halo:
        return [(0, length)]
    return [(start, min(start + side, length)) for start in range(0, length, side)]


def upscale_in_tiles(
    network: Callable[[Tensor], Tensor], lr: Tensor, scale: int, halo: int, side: int = _SIDE
) -> Tensor:
    """Upscale a picture in tiles that see as far beyond their edges as the network looks.

    The result is that of the whole picture, but for the order in which floats are added.

    Args:
        network: maps ``[N, 3, H, W]`` to ``[N, 3, scale * H, scale * W]``.
        lr: ``[N, 3, H, W]``.
        scale: output side over input side.
        halo: how far, in input pixels, an output pixel looks beyond the input pixel it lies in.
        side: of a tile without its halo, in input pixels, where the halo is not longer.

    Returns:
        ``[N, 3, scale * H, scale * W]``.
    """
    height, width = lr.shape[-2:]
    side = max(side, halo)  # or next to all the work would be done for halos
    rows = []
    for top, bottom in _spans(height, side, halo):
        row = []
        for left, right in _spans(width, side, halo):
            y, x = max(0, top - halo), max(0, left - halo)
            tile = network(lr[..., y : bottom + halo, x : right + halo])
            row.append(
                tile[
                    ...,
                    (top - y) * scale : (bottom - y) * scale,
                    (left - x) * scale : (right - x) * scale,
                ]
            )
        rows.append(torch.cat(row, dim=-1))
    return torch.cat(rows, dim=-2)
