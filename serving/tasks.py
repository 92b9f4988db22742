"""Threads that compute parts of pictures, shared fairly by all requests.

ONNX Runtime gets more out of several callers with one thread each than out of one with several, so
the unit of work is one tile. Requests take turns: the tiles of a large picture do not hold up a
small one that comes later.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from threading import Condition, Thread
from typing import TypeVar

Task = Callable[[], None]
Product = TypeVar("Product")

_Waiting = deque[tuple[Task, "Future[None]"]]


class TaskPool:
    """A number of threads, and the tasks that wait for them.

    Args:
        workers: tasks that run at the same time.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._changed = Condition()
        self._closed = False
        # Of each run that has waiting tasks: the one whose turn is next comes first.
        self._turns: deque[_Waiting] = deque()
        for number in range(workers):
            Thread(target=self._work, name=f"tile-{number}", daemon=True).start()

    def close(self) -> None:
        """Ends the threads once nothing waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def products(self, jobs: Iterable[tuple[Product, Iterable[Task]]]) -> Iterator[Product]:
        """Gives what the jobs make, in their order, while the tasks of later ones run already.

        While the caller looks at a product, the next job is under way, or as many as it takes to
        have two tasks for each thread. Jobs are drawn in the caller's thread.

        Args:
            jobs: what each makes, and the tasks after which that is finished.

        Raises:
            Exception: what a task raised; the tasks that still wait are dropped.
        """
        waiting: _Waiting = deque()
        under_way: deque[tuple[Product, list[Future[None]]]] = deque()
        try:
            for product, tasks in jobs:
                under_way.append((product, [self._submit(waiting, task) for task in tasks]))
                ahead = sum(len(futures) for _, futures in under_way) - len(under_way[0][1])
                if ahead >= 2 * self.workers:
                    yield _finished(*under_way.popleft())
            while under_way:
                yield _finished(*under_way.popleft())
        finally:
            with self._changed:
                waiting.clear()

    def _submit(self, waiting: _Waiting, task: Task) -> "Future[None]":
        future: Future[None] = Future()
        with self._changed:
            if not waiting:
                self._turns.append(waiting)
            waiting.append((task, future))
            self._changed.notify()
        return future

    def _work(self) -> None:
        while next_task := self._next():
            task, future = next_task
            try:
                task()
            except BaseException as error:  # The one who waits for the future shall have it.
                future.set_exception(error)
            else:
                future.set_result(None)
            # Or this thread keeps the last tile's pixels alive while it waits.
            del task, future, next_task

    def _next(self) -> tuple[Task, "Future[None]"] | None:
        with self._changed:
            while True:
                while self._turns:
                    waiting = self._turns.popleft()
                    if waiting:  # else its run was given up
                        found = waiting.popleft()
                        if waiting:
                            self._turns.append(waiting)
                        return found
                if self._closed:
                    return None
                self._changed.wait()


def _finished(product: Product, futures: list["Future[None]"]) -> Product:
    for future in futures:
        future.result()
    return product
