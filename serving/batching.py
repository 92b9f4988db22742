"""Puts equal tiles of all requests together into one run of the network, where that is faster.

A graphics card is hardly busy with one tile. So while a run is under way the next batch gathers:
the first thread that comes leads it, waits for the card, and computes for all others.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event, Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.stop import Stop, Stopped

Array = NDArray[Any]
Run = Callable[[Array, Stop], Array]


class Batcher:
    """A network that several threads call at once, and that is run for several of them at once.

    Args:
        run: the network: maps [N, ...] to [N, ...].
        most: tiles of a run; a call that brings as many goes alone.
        delay_s: that a batch which is not full waits for more, even if nothing else is running.
    """

    def __init__(self, run: Run, most: int, delay_s: float = 0.0) -> None:
        self._run = run
        self._most = most
        self._delay_s = delay_s
        self._lock = Lock()
        self._turn = Lock()
        self._gathering: dict[tuple[object, ...], _Group] = {}

    def __call__(self, batch: Array, stop: Stop) -> Array:
        """As the network itself, whatever else is in the same run.

        Raises:
            Stopped: `stop` is set, though others may still get what was begun with it.
        """
        if len(batch) >= self._most:
            with self._turn:
                return self._run(batch, stop)
        key = (batch.dtype, *batch.shape[1:])
        member = _Member(batch)
        with self._lock:
            group = self._gathering.get(key)
            leads = group is None or group.size + len(batch) > self._most
            if group is None or leads:
                group = self._gathering[key] = _Group()
            group.add(member)
            if group.size == self._most:
                group.full.set()
        led = not leads
        try:
            with stop.interrupting(partial(group.leave, member)):
                if leads:
                    led = True
                    self._lead(group, key)
                return member.result.result()
        finally:
            group.leave(member)
            if not led:  # It was over before it began, but others count on it.
                self._lead(group, key)

    def _lead(self, group: "_Group", key: tuple[object, ...]) -> None:
        group.full.wait(self._delay_s)
        with self._turn:
            with self._lock:
                if self._gathering.get(key) is group:
                    del self._gathering[key]
            group.compute(self._run)


class _Member:
    def __init__(self, batch: Array) -> None:
        self.batch = batch
        self.result: Future[Array] = Future()


class _Group:
    """Those that share a run.

    Attributes:
        size: tiles of all members.
        full: set when no more are taken.
    """

    def __init__(self) -> None:
        self.size = 0
        self.full = Event()
        self._lock = Lock()
        self._members: list[_Member] = []
        self._stop = Stop()

    def add(self, member: _Member) -> None:
        with self._lock:
            self._members.append(member)
        self.size += len(member.batch)

    def leave(self, member: _Member) -> None:
        """Whoever leaves waits no longer; when all have left, nothing is computed any more."""
        with self._lock:
            if member in self._members:
                self._members.remove(member)
                member.result.set_exception(Stopped())
            nobody_left = not self._members
        if nobody_left:
            self._stop.set()

    def compute(self, run: Run) -> None:
        with self._lock:
            members = list(self._members)
        if not members:
            return
        try:
            results = run(np.concatenate([each.batch for each in members]), self._stop)
        except BaseException as error:  # Each of those who wait for it shall have it.
            self._give([error] * len(members), members)
        else:
            ends = np.cumsum([len(member.batch) for member in members])[:-1]
            self._give(np.split(results, ends), members)
        finally:
            members.clear()  # Or an error, which has this frame, and they would keep each other.

    def _give(self, results: Sequence[Array | BaseException], members: Sequence[_Member]) -> None:
        with self._lock:
            for member, result in zip(members, results, strict=True):
                if member not in self._members:
                    continue  # It has left.
                self._members.remove(member)
                if isinstance(result, BaseException):
                    member.result.set_exception(result)
                else:
                    member.result.set_result(result)
