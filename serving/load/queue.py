"""Decides which requests are computed now, which wait, and which are refused.

What a request takes is counted in the pixels that the network is given for it. Requests of about
one size, from a power of two to the next, and one priority wait for each other, their clients in
turns, and a few of them run abreast; so a small or urgent one never waits for others. Those that
run share the processor tile by tile (:mod:`serving.tasks`).
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from serving.load.budget import Budget
from serving.load.lane import Lane
from serving.priority import Priority

# What the smallest request counts for: it has its costs too.
SMALLEST = 2**14
_RETRY_S = (0.1, 60.0)
_REMEMBERED_S = 60.0


class PixelQueue:
    """A bounded queue, for one event loop.

    Args:
        max_pixels: of all requests that run or wait together; further ones are refused.
        abreast: requests of about one size and one priority that run at the same time.
        observe: told of the queue whenever what waits or runs has changed.

    Attributes:
        requests: that run or wait.
        running: of these.
    """

    def __init__(
        self, max_pixels: int, abreast: int, observe: Callable[["PixelQueue"], None] | None = None
    ) -> None:
        self._budget = Budget("queue", "pixels", max_pixels)
        self._lanes = defaultdict[tuple[Priority, int], Lane](lambda: Lane(abreast))
        self._pace = _Pace()
        self._observe = observe
        self.requests = 0
        self.running = 0

    @property
    def pixels(self) -> int:
        """Of all requests that run or wait."""
        return self._budget.taken

    def check(self) -> None:
        """Refuses early whatever :meth:`place` would refuse whatever its size.

        Raises:
            ServerBusy: the queue is full.
        """
        self._take(SMALLEST)
        self._budget.give_back(SMALLEST)

    @asynccontextmanager
    async def place(
        self, cost: int, client: str = "", priority: Priority = Priority.NORMAL
    ) -> AsyncIterator[None]:
        """Waits for the request's turn; it runs for as long as the context lasts.

        Args:
            cost: pixels that the network will be given.
            client: whose it is.
            priority: how urgent it is.

        Raises:
            ServerBusy: the queue is full.
        """
        cost = max(cost, SMALLEST)
        self._take(cost)
        self._pace.begin()
        self.requests += 1
        self._changed()
        try:
            async with self._lanes[priority, cost.bit_length()].place(client):
                self.running += 1
                self._changed()
                try:
                    yield
                finally:
                    self.running -= 1
        finally:
            self.requests -= 1
            self._budget.give_back(cost)
            self._pace.end(cost, idle=not self._budget.taken)
            self._changed()

    def _changed(self) -> None:
        if self._observe:
            self._observe(self)

    def _take(self, cost: int) -> None:
        excess = self._budget.taken + cost - self._budget.most
        least, most = _RETRY_S
        self._budget.take(cost, min(max(self._pace.seconds(excess), least), most))


class _Pace:
    """How fast the queue has moved of late."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._seconds = 0.0
        self._pixels = 0.0

    def begin(self) -> None:
        """There is something to do."""
        if self._since is None:
            self._since = monotonic()

    def end(self, cost: int, idle: bool) -> None:
        """A request has left; perhaps nothing is to do any more."""
        now = monotonic()
        self._seconds += now - (now if self._since is None else self._since)
        self._pixels += cost
        self._since = None if idle else now
        if self._seconds > _REMEMBERED_S:
            self._seconds /= 2
            self._pixels /= 2

    def seconds(self, pixels: int) -> float:
        """After which so many pixels will have left; 1 as long as that is not known."""
        return pixels * self._seconds / self._pixels if self._pixels and self._seconds else 1.0
