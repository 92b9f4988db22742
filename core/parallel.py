"""An ordered map in threads that works ahead of its consumer by a bounded distance."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["WORKERS", "parallel_map"]

WORKERS = min(4, os.cpu_count() or 1)  # more would hold more whole pictures at once

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def parallel_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int = WORKERS
) -> Iterator[Iterator[Result]]:
    """Yield an iterator over ``function(item)`` of each item, in order, computed by threads.

    ``Executor.map`` computes everything at once and keeps what is not yet wanted. Here no more than
    ``2 * workers`` items are begun before their results are taken. An error is raised as soon as
    it is seen, ahead of earlier results; when the block ends, what has not begun never does.

    Args:
        function: called by the threads.
        items: drawn from by the thread that takes the results.
        workers: how many threads.
    """
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield _in_order(pool, function, items, 2 * workers)
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    most: int,
) -> Iterator[Result]:
    begun: deque[Future[Result]] = deque()
    for item in items:
        begun.append(pool.submit(function, item))
        for future in begun:
            if future.done():
                future.result()  # raises what went wrong
        if len(begun) == most:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
