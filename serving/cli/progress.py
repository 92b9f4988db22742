"""How far the work is and how long it will take, on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

from tqdm import tqdm

_BAR = "{desc} {percentage:3.0f}%|{bar}| {remaining} left"
# What takes no longer needs no bar.
_DELAY_S = 0.5
_LINE_EVERY_S = 30.0


class Progress:
    """A bar for the picture and, of several, one for all; without a terminal a line now and then.

    Args:
        sizes: bytes of each picture's file, by which the time that all take is estimated.
        every_s: seconds between two lines.
        clock: tells the time in seconds.
    """

    def __init__(
        self,
        sizes: list[int],
        every_s: float = _LINE_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = len(sizes)
        self._total = max(1, sum(sizes))
        self._every_s = every_s
        self._clock = clock
        self._began = self._told = clock()
        self._finished = 0
        self._bytes = 0.0
        alone = self._count == 1 or not sys.stderr.isatty()
        self._all = _bar(self._counted(), self._total, position=1, disable=alone)

    @contextmanager
    def picture(self, name: str, size: int) -> Iterator[Callable[[int, int], None]]:
        """Shows the work at one picture; gives what to call with rows that are done, and all."""
        before = self._bytes
        bar = _bar(name, 1, position=0, disable=not sys.stderr.isatty())

        def tell(rows_done: int, rows: int) -> None:
            share = rows_done / rows
            bar.update(share - bar.n)
            self._reach(before + share * size)

        try:
            yield tell
        finally:
            bar.close()
            self._finished += 1
            self._all.set_description_str(self._counted(), refresh=False)
            self._reach(before + size)

    def say(self, line: str, stream: TextIO) -> None:
        """Writes a line where no bar is in its way."""
        tqdm.write(line, file=stream)
        stream.flush()

    def close(self) -> None:
        """Takes the bars away."""
        self._all.close()

    def _counted(self) -> str:
        return f"{self._finished} of {self._count} pictures"

    def _reach(self, done: float) -> None:
        self._all.update(done - self._bytes)
        self._bytes = done
        now = self._clock()
        if sys.stderr.isatty() or now - self._told < self._every_s or done >= self._total:
            return
        self._told = now
        left = (now - self._began) * (self._total - done) / max(done, 1)
        sys.stderr.write(
            f"upscale: {done / self._total:.0%}, {self._counted()}, "
            f"about {tqdm.format_interval(left)} left\n"
        )


def _bar(name: str, total: int, position: int, disable: bool) -> "tqdm[NoReturn]":
    return tqdm(
        desc=name,
        total=total,
        position=position,
        disable=disable,
        file=sys.stderr,
        bar_format=_BAR,
        delay=_DELAY_S,
        smoothing=0,
        leave=False,
        dynamic_ncols=True,
    )
