"""Pictures that come in strips from the top, so that nobody needs to hold a whole one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from serving.pixels import Depth, Pixels, empty


@dataclass(frozen=True, slots=True)
class Strips:
    """A picture on its way from one step of the pipeline to the next; it can be read once.

    Attributes:
        height: rows of all strips together.
        width: pixels of a row.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        depth: type of the samples, uint8 or uint16.
        parts: the strips, [rows, width, channels] of any number of rows each, first the topmost.
    """

    height: int
    width: int
    channels: int
    depth: Depth
    parts: Iterator[Pixels]

    @classmethod
    def of(cls, pixels: Pixels) -> "Strips":
        """A picture in memory, [H, W, C], as one strip."""
        height, width, channels = pixels.shape
        return cls(height, width, channels, pixels.dtype.type, iter([pixels]))

    def whole(self) -> Pixels:
        """Reads all strips into one array, [H, W, C]."""
        pixels = empty(self.height, self.width, self.channels, self.depth)
        top = 0
        for part in self.parts:
            pixels[top : top + len(part)] = part
            top += len(part)
        return pixels


class Window:
    """The rows of a picture that are needed at present, of which only the end still grows."""

    def __init__(self, strips: Strips) -> None:
        self._parts = strips.parts
        self._top = 0
        self._rows = empty(0, strips.width, strips.channels, strips.depth)

    def take(self, start: int, stop: int) -> Pixels:
        """Rows [start, stop) as [rows, W, C]; what is above `start` is forgotten for good."""
        kept = self._rows[start - self._top :]
        parts = [kept]
        count = len(kept)
        while start + count < stop:
            part = next(self._parts)
            parts.append(part)
            count += len(part)
        if len(parts) > 1:
            # A new array: threads may still read what was taken before.
            kept = np.concatenate(parts)  # type: ignore[assignment]  # of one type
        self._top, self._rows = start, kept
        return kept[: stop - start]
