"""Threads that compute parts of pictures, shared fairly by all requests.

ONNX Runtime gets more out of several callers with one thread each than out of one with several, so
the unit of work is one tile. Requests of the highest priority take turns, and those below wait: the
tiles of a large picture do not hold up a small one that comes later. As a tile that has begun is
not interrupted, there is one thread more, which computes small pictures while others are at large
ones: they begin at once, and the operating system shares out the processors.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread
from typing import TypeVar

from serving.niceness import yield_to_others
from serving.priority import Priority

Task = Callable[[], None]
Product = TypeVar("Product")

# Tasks of a small run.
_FEW = 2


class _Run:
    """The tasks of one caller, in the order in which they came."""

    def __init__(self, priority: Priority) -> None:
        self.priority = priority
        self.waiting: deque[tuple[Task, Future[None]]] = deque()
        self.submitted = 0
        self.is_all = False

    def is_small(self, most: int) -> bool:
        """Whether it is known that there were never more than `most` tasks."""
        return self.is_all and self.submitted <= most


class TaskPool:
    """A number of threads, and the tasks that wait for them.

    Args:
        workers: tasks that run at the same time, not counting one of a small run.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._changed = Condition()
        self._closed = False
        # The runs that have waiting tasks: the one whose turn is next comes first.
        self._turns: deque[_Run] = deque()
        # Whose tasks are under way.
        self._running: list[_Run] = []
        self._threads: list[Thread] = []
        for number in range(workers + 1):
            for_small_ones = number == workers
            name = "tile-small" if for_small_ones else f"tile-{number}"
            thread = Thread(target=self._work, args=[for_small_ones], name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Ends the threads once nothing waits any more, and waits for them.

        At the interpreter's end, a thread inside ONNX Runtime would abort the process.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def products(
        self,
        jobs: Iterable[tuple[Product, Iterable[Task]]],
        priority: Priority = Priority.NORMAL,
    ) -> Iterator[Product]:
        """Gives what the jobs make, in their order, while the tasks of later ones run already.

        While the caller looks at a product, the next job is under way, or as many as it takes to
        have two tasks for each thread. Jobs are drawn in the caller's thread.

        Args:
            jobs: what each makes, and the tasks after which that is finished.
            priority: of the tasks; those of higher priority always go first.

        Raises:
            Exception: what a task raised; the tasks that still wait are dropped.
        """
        run = _Run(priority)
        under_way: deque[tuple[Product, list[Future[None]]]] = deque()
        try:
            for product, tasks in jobs:
                under_way.append((product, [self._submit(run, task) for task in tasks]))
                ahead = sum(len(futures) for _, futures in under_way) - len(under_way[0][1])
                if ahead >= 2 * self.workers:
                    yield _finished(*under_way.popleft())
            self._complete(run)
            while under_way:
                yield _finished(*under_way.popleft())
        finally:
            with self._changed:
                run.waiting.clear()

    def _submit(self, run: _Run, task: Task) -> "Future[None]":
        future: Future[None] = Future()
        with self._changed:
            if not run.waiting:
                self._turns.append(run)
            run.waiting.append((task, future))
            run.submitted += 1
            self._changed.notify_all()
        return future

    def _complete(self, run: _Run) -> None:
        with self._changed:
            run.is_all = True
            self._changed.notify_all()

    def _work(self, for_small_ones: bool) -> None:
        yield_to_others()
        while found := self._next(for_small_ones):
            task, future, run = found
            try:
                task()
            except BaseException as error:  # The one who waits for the future shall have it.
                future.set_exception(error)
            else:
                future.set_result(None)
            # Or this thread keeps the last tile's pixels alive while it waits.
            del task, future, found
            with self._changed:
                self._running.remove(run)

    def _next(self, for_small_ones: bool) -> tuple[Task, "Future[None]", _Run] | None:
        with self._changed:
            while True:
                for run in sorted(self._turns, key=lambda run: -run.priority):
                    if for_small_ones and not (run.is_small(_FEW) and self._at_large_ones()):
                        continue
                    self._turns.remove(run)
                    if run.waiting:  # else it was given up
                        task, future = run.waiting.popleft()
                        if run.waiting:
                            self._turns.append(run)
                        self._running.append(run)
                        if not run.is_small(_FEW):
                            self._changed.notify_all()  # the thread for small ones may begin
                        return task, future, run
                if self._closed:
                    return None
                self._changed.wait()

    def _at_large_ones(self) -> bool:
        return not all(run.is_small(_FEW) for run in self._running)


@dataclass(frozen=True, slots=True)
class Share:
    """A pool as the requests of one priority see it."""

    pool: TaskPool
    priority: Priority

    @property
    def workers(self) -> int:
        """Tasks that run at the same time."""
        return self.pool.workers

    def products(self, jobs: Iterable[tuple[Product, Iterable[Task]]]) -> Iterator[Product]:
        """As :meth:`TaskPool.products`."""
        return self.pool.products(jobs, self.priority)


def _finished(product: Product, futures: list["Future[None]"]) -> Product:
    # No name for the one that raises: the error has this frame, and they would keep each other.
    while futures:
        futures.pop(0).result()
    return product
