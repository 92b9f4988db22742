"""A bounded number of threads for the processor's work, and a bounded queue before them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import TypeVar

from serving.errors import ServerBusy

Result = TypeVar("Result")


class WorkerPool:
    """Runs functions in threads on behalf of coroutines, so that the event loop stays free.

    Args:
        workers: functions that run at the same time.
        max_waiting: further functions that may wait for a thread.
    """

    def __init__(self, workers: int, max_waiting: int) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="upscale")
        self._places = Semaphore(workers + max_waiting)
        self._max_waiting = max_waiting

    async def run(self, work: Callable[[], Result]) -> Result:
        """Runs `work` in a thread and returns what it returns.

        A cancelled caller frees its place at once if `work` has not begun, else when it ends.

        Raises:
            ServerBusy: too many others wait already.
        """
        if not self._places.acquire(blocking=False):
            raise ServerBusy(
                "queue", f"full with {self._max_waiting} requests", "a new try in a while"
            )
        future = self._executor.submit(work)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Lets running functions end and drops waiting ones."""
        self._executor.shutdown(wait=False, cancel_futures=True)
