"""Threads that make things for coroutines, piece by piece."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Semaphore
from typing import TypeVar

from serving.niceness import yield_to_others
from serving.stop import Stop, Stopped

Item = TypeVar("Item")
Put = Callable[[Item], None]

# Items that may lie ready before their producer has to wait for whoever takes them.
_AHEAD = 4


class Threads:
    """Runs functions in threads on behalf of coroutines, so that the event loop stays free.

    Args:
        most: threads at a time; a function beyond them waits.
    """

    def __init__(self, most: int) -> None:
        self._executor = ThreadPoolExecutor(
            most, thread_name_prefix="request", initializer=yield_to_others
        )

    async def call(self, work: Callable[[], Item]) -> Item:
        """What `work` returns or raises; it may wait for long, as others have their own threads."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def produce(
        self, work: Callable[[Put[Item]], None], stop: Stop
    ) -> AsyncGenerator[Item, None]:
        """Runs `work` in a thread and gives what it puts, as it puts it.

        `work` waits in its ``put`` where the items are not taken. When the iteration is given up,
        `stop` is set, and ``put`` raises; it ends once `work` has.

        Args:
            work: called with the function that puts an item.
            stop: of the request.
        """
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[Item | _End] = asyncio.Queue()
        room = Semaphore(_AHEAD)

        def put(item: Item) -> None:
            room.acquire()
            stop.check()
            loop.call_soon_threadsafe(items.put_nowait, item)

        def run() -> None:
            with suppress(Stopped):  # Then nobody listens.
                work(put)

        future = loop.run_in_executor(self._executor, run)
        future.add_done_callback(lambda _: items.put_nowait(_End()))
        try:
            while not isinstance(item := await items.get(), _End):
                room.release()
                yield item
            await future
        finally:
            stop.set()
            room.release()
            if not future.done():
                await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # Taken note of, though nobody may be left to be told.
            # Or the future's error, which has this frame, and the frame would keep each other.
            del future

    def close(self) -> None:
        """Lets running functions end and drops waiting ones."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class _End:
    """Comes after the last item."""
