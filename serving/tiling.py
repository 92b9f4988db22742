"""Cutting a picture into overlapping tiles of one size so that the result has no seams.

A network sees a radius of `halo` pixels around each output pixel, and a tile's own border is padded
where the picture is not. So of each tile only what is at least `halo` away from such an artificial
border is kept; at the picture's true borders everything is. Tiled is then equal to whole.
"""

from dataclasses import dataclass
from math import ceil

_STEP = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A tile along one axis: it covers [start, stop) and of that keeps [keep_start, keep_stop)."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int

    @property
    def source(self) -> slice:
        """What to read, in pixels of the input."""
        return slice(self.start, self.stop)

    @property
    def kept_size(self) -> int:
        """How many pixels it keeps."""
        return self.keep_stop - self.keep_start

    def kept(self, scale: int) -> slice:
        """What to keep of the tile's output, in output pixels from the tile's own start."""
        return slice((self.keep_start - self.start) * scale, (self.keep_stop - self.start) * scale)

    def target(self, scale: int) -> slice:
        """Where it belongs, in pixels of the output."""
        return slice(self.keep_start * scale, self.keep_stop * scale)


def round_up(value: int, multiple: int) -> int:
    """The next multiple that is not below `value`."""
    return -(-value // multiple) * multiple


def even_tiles(
    height: int, width: int, tile: int, halo: int, workers: int = 1, multiple: int = 1
) -> tuple[int, int]:
    """The shape of tiles with which workers are done soonest: few, large, and a fair number each.

    No tile has more pixels than a square of side `tile`, nor is it higher, since the memory that
    rows of tiles take depends on that. Sides are multiples of 4, so that pictures of all sizes
    need few shapes.

    Args:
        height: of what is to be covered.
        width: of what is to be covered.
        tile: side of the largest square; raised to the next possible one.
        halo: what is lost of a tile at each border that is not the picture's.
        workers: tiles that are computed at a time.
        multiple: what sides are multiples of, too; a power of 2, which `halo` is a multiple of.

    Returns:
        A tile's height and width.
    """
    step = max(_STEP, multiple)
    least = round_up(2 * halo + 1, step)
    tile = max(least, round_up(tile, step))
    lowest = min(height, least)
    plans: list[tuple[int, int, tuple[int, int]]] = []
    for columns in _counts(width, max(tile, tile**2 // lowest), tile, halo, workers):
        across = _side(width, columns, halo, step)
        highest = min(tile, tile**2 // across // step * step)
        if highest < lowest:
            continue
        for rows in _counts(height, highest, highest, halo, workers):
            down = _side(height, rows, halo, step)
            turns = ceil(rows * columns / workers)
            plans.append((turns * down * across, rows * columns, (down, across)))
    return min(plans)[2]


def _count(size: int, side: int, halo: int) -> int:
    """How many tiles of a side cover [0, size)."""
    return 1 if size <= side else ceil((size - 2 * halo) / (side - 2 * halo))


def _side(size: int, count: int, halo: int, step: int) -> int:
    """The least side, a multiple of `step`, of which `count` tiles cover [0, size)."""
    side = ceil(max(1, size - 2 * halo) / count) + 2 * halo
    return round_up(side, step)


def _counts(size: int, longest: int, usual: int, halo: int, workers: int) -> range:
    """Numbers of tiles to try: as few as there can be, to some more than of the usual side.

    Of more than need be, each keeps as much as it loses.
    """
    need = _count(size, usual, halo)
    most = max(need, (size - 2 * halo) // (4 * halo + 1))
    return range(_count(size, longest, halo), min(most, need + workers - 1) + 1)


def plan_axis(size: int, tile: int, halo: int, multiple: int = 1) -> list[Span]:
    """Covers [0, size) with spans of exactly `tile`, or one of `size` if that is smaller.

    The first starts at 0 and the last stops at `size`; what they keep follows on without gap or
    overlap. Where starts must be multiples, the last span may be shorter by less than one.

    Args:
        size: what is to be covered.
        tile: length of a span.
        halo: what a span does not keep at each end that is not one of [0, size).
        multiple: what each start is a multiple of, as `tile` and `halo` must be.

    Raises:
        ValueError: `size` is not positive, or `tile` leaves nothing between two halos.
    """
    if size < 1:
        raise ValueError(f"size is {size}; expected at least 1")
    if tile <= 2 * halo:
        raise ValueError(f"tile is {tile}; expected more than two halos of {halo}")
    if size <= tile:
        return [Span(0, size, 0, size)]
    last = round_up(size - tile, multiple)
    starts = [*range(0, size - tile, tile - 2 * halo), last]
    spans: list[Span] = []
    keep_start = 0
    for start in starts:
        stop = min(start + tile, size)
        keep_stop = stop if stop == size else stop - halo
        spans.append(Span(start, stop, keep_start, keep_stop))
        keep_start = keep_stop
    return spans
