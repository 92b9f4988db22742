"""A few places, for which clients wait in turns."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Lane:
    """Places that are given to one client after the other, whoever has how many requests waiting.

    For one event loop. A client's own requests keep their order.

    Args:
        places: requests that have one at the same time.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        # Of each client that waits: the one whose turn is next comes first.
        self._turns: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def place(self, client: str) -> AsyncIterator[None]:
        """Waits for a place, which is held for as long as the context lasts."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(client)
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, client: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._turns.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # The place came at the same moment.
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        """Gives a place to whoever is next, or keeps it for later."""
        while self._turns:
            client = next(iter(self._turns))
            waiting = self._turns.pop(client)
            turn = waiting.popleft()
            if waiting:
                self._turns[client] = waiting
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._free += 1
