"""Cutting a picture into overlapping tiles of one size so that the result has no seams.

A network sees a radius of `halo` pixels around each output pixel, and a tile's own border is padded
where the picture is not. So of each tile only what is at least `halo` away from such an artificial
border is kept; at the picture's true borders everything is. Tiled is then equal to whole.
"""

from dataclasses import dataclass


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


def plan_axis(size: int, tile: int, halo: int) -> list[Span]:
    """Covers [0, size) with spans of exactly `tile`, or one of `size` if that is smaller.

    The first starts at 0 and the last stops at `size`; what they keep follows on without gap or
    overlap.

    Raises:
        ValueError: `size` is not positive, or `tile` leaves nothing between two halos.
    """
    if size < 1:
        raise ValueError(f"size is {size}; expected at least 1")
    if tile <= 2 * halo:
        raise ValueError(f"tile is {tile}; expected more than two halos of {halo}")
    if size <= tile:
        return [Span(0, size, 0, size)]
    starts = [*range(0, size - tile, tile - 2 * halo), size - tile]
    spans: list[Span] = []
    keep_start = 0
    for start in starts:
        stop = start + tile
        keep_stop = stop if stop == size else stop - halo
        spans.append(Span(start, stop, keep_start, keep_stop))
        keep_start = keep_stop
    return spans
