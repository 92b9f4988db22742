"""Cutting a picture into overlapping tiles of one size so that the result has no seams.

A network sees a radius of `halo` pixels around each output pixel, and a tile's own border is padded
where the picture is not. So of each tile only what is at least `halo` away from such an artificial
border is kept; at the picture's true borders everything is. Tiled is then equal to whole.
"""

from dataclasses import dataclass
from math import ceil

_STEP = 16


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


def even_tile(size: int, tile: int, halo: int, least: int = 1, multiple: int = 1) -> int:
    """A side with which as few tiles as do with `tile` cover [0, size) with little overlap.

    It is a multiple of 16, so that pictures of all sizes need few shapes.

    Args:
        size: what is to be covered.
        tile: the largest side.
        halo: what is lost of a tile at each border that is not the picture's.
        least: tiles that there shall be, if they can still keep as much as they lose.
        multiple: what it is a multiple of, too; a power of 2, which `tile` is a multiple of.
    """
    if size <= tile:
        most = max(1, (size - 2 * halo) // (4 * halo + 1))
        count = min(least, most)
    else:
        count = max(ceil((size - 2 * halo) / (tile - 2 * halo)), least)
    if count == 1:
        return tile
    step = max(_STEP, multiple)
    side = ceil((size - 2 * halo) / count) + 2 * halo
    return min(tile, ceil(side / step) * step)


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
    last = ceil((size - tile) / multiple) * multiple
    starts = [*range(0, size - tile, tile - 2 * halo), last]
    spans: list[Span] = []
    keep_start = 0
    for start in starts:
        stop = min(start + tile, size)
        keep_stop = stop if stop == size else stop - halo
        spans.append(Span(start, stop, keep_start, keep_stop))
        keep_start = keep_stop
    return spans
