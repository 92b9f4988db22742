"""What signals do to a process, for as long as it does one thing."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def handled(number: int, handler: Handler) -> Iterator[None]:
    """Within the block, a signal has this handler; Python handles none outside the main thread."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def hang_up_ignored() -> Iterator[None]:
    """Has SIGHUP do nothing instead of ending the process, unless the block says otherwise."""
    if sys.platform == "win32":
        yield
        return
    with handled(signal.SIGHUP, signal.SIG_IGN):
        yield


def end_at_once() -> None:
    """Has SIGTERM and SIGINT end the process with 0: there is no call to finish yet."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # An exception might be raised, and lost, in the middle of a library.
        signal.signal(number, lambda *_: os._exit(0))
