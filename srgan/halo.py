"""How far a network looks, measured by what it makes of a piece of a picture."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.command import UserError

__all__ = ["measure_halo"]

_SIDES = (64, 128, 256)  # of the pictures tried, input pixels
_CUTS = (1, 2, 3, 5)  # what is cut off, so that no window of a network lies as it did
_TOLERANCE = 1e-4


def _picture(side: int) -> Tensor:
    """Return noise, coarse and fine: ``[2, 3, side, side]`` in [0, 1]."""
    random = torch.Generator().manual_seed(0)
    fine = torch.rand(1, 3, side, side, generator=random)
    coarse = F.interpolate(torch.rand(1, 3, 9, 9, generator=random), (side, side), mode="bilinear")
    return torch.cat([fine, coarse])


def _reach(difference: Tensor, scale: int) -> int:
    """Return how far from the first row or column, in input pixels, anything differs.

    Args:
        difference: ``[N, 3, H, W]``, the cut made at the top and at the left.
        scale: output side over input side.
    """
    seen = (difference.abs().amax(dim=(0, 1)) > _TOLERANCE).nonzero()
    if len(seen) == 0:
        return 0
    # A pixel next to either cut may differ; the nearer of the two is the one that counts.
    return int(seen.amin(dim=1).max()) // scale + 1


@torch.no_grad()
def _halo(network: nn.Module, scale: int, side: int, limit: int) -> int:
    """Return the greatest reach over all cuts of a picture of ``side`` pixels, or ``limit``."""
    picture = _picture(side)
    whole = network(picture)
    halo = 0
    for cut in _CUTS:
        after = network(picture[..., cut:, cut:])
        halo = max(halo, _reach(after - whole[..., cut * scale :, cut * scale :], scale))
        before = network(picture[..., :-cut, :-cut])
        difference = before - whole[..., : -cut * scale, : -cut * scale]
        halo = max(halo, _reach(difference.flip(-2, -1), scale))
        if halo >= limit:
            return limit
    return halo


def measure_halo(network: nn.Module, scale: int) -> int:
    """Return how far from a cut edge a network's result differs from that of the whole picture.

    Differences of up to 1e-4, a fortieth of a level of 8 bits, do not count.

    Args:
        network: maps ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``.
        scale: output side over input side.

    Returns:
        The halo, input pixels.

    Raises:
        UserError: if the result depends on the whole picture, or on where a piece was cut: then no
            halo makes tiles fit together.
    """
    for side in _SIDES:
        limit = side // 2
        halo = _halo(network, scale, side, limit)
        if halo < limit:
            return halo
    raise UserError(
        "the network cannot run in tiles: what it makes of a piece depends on pixels more than "
        f"{_SIDES[-1] // 2 - 1} away, on statistics of the whole picture, or on where windows lie "
        "in it"
    )
