"""How a request that nobody waits for any more is ended, wherever it is at the time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import TypeVar

Item = TypeVar("Item")


class Stopped(Exception):
    """Nobody waits for the result any more."""


class Stop:
    """Tells the threads that work for one request that it is over; any thread may set it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_set = Event()
        self._actions: list[Callable[[], None]] = []

    def set(self) -> None:
        """From now on, checks raise; what runs at present is told to stop."""
        with self._lock:
            self._is_set.set()
            for action in self._actions:
                action()
            self._actions.clear()

    def check(self) -> None:
        """Raises :class:`Stopped` once it is set."""
        if self._is_set.is_set():
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Waits; raises :class:`Stopped` as soon as it is set."""
        self._is_set.wait(seconds)
        self.check()

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items, as long as it is not set."""
        for item in items:
            self.check()
            yield item

    @contextmanager
    def interrupting(self, action: Callable[[], None]) -> Iterator[None]:
        """While the block runs, being set calls `action`, which must be quick.

        Raises:
            Stopped: it is set; also in place of what the block raised when it was interrupted.
        """
        with self._lock:
            self.check()
            self._actions.append(action)
        try:
            yield
        except Exception:
            self.check()
            raise
        finally:
            with self._lock:
                if action in self._actions:
                    self._actions.remove(action)
