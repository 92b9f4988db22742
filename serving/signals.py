"""What signals do to a process that does not serve yet."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hang_up_ignored() -> Iterator[None]:
    """Has SIGHUP do nothing instead of ending the process, unless the block says otherwise."""
    if sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def end_at_once() -> None:
    """Has SIGTERM and SIGINT end the process with 0: there is no call to finish yet."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # An exception might be raised, and lost, in the middle of a library.
        signal.signal(number, lambda *_: os._exit(0))
