"""Where the time of one request goes, thread by thread."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident, local
from time import perf_counter_ns
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Event:
    """A piece of work: its stage's name, its thread, when it began and ended in nanoseconds."""

    stage: str
    thread: int
    start: int
    stop: int


class Stages:
    """Records what each thread works at; stages inside of others interrupt them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._open = _Open()

    def total(self, stage: str) -> int:
        """Nanoseconds spent at a stage by all threads together."""
        return sum(event.stop - event.start for event in self.events if event.stage == stage)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Everything in the block is work at `stage`, less what is measured inside."""
        outer = self._open.stages
        self._switch()
        outer.append(stage)
        try:
            yield
        finally:
            self._switch()
            outer.pop()

    def each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The same items; getting them is work at `stage`."""
        iterator = iter(items)
        while True:
            with self.measure(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item

    def _switch(self) -> None:
        """Ends the event of the innermost open stage; the next one begins now."""
        now = perf_counter_ns()
        if self._open.stages:
            self.events.append(Event(self._open.stages[-1], get_ident(), self._open.since, now))
        self._open.since = now


class _Open(local):
    """The stages that a thread is in, the innermost last, and since when."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.since = 0
