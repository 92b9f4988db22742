"""Calls that Ctrl-C may interrupt."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.stop import Stop

Result = TypeVar("Result")


def aside(call: Callable[[Stop], Result]) -> Result:
    """What a call returns that is made in another thread, while this one waits.

    Python interrupts its main thread wherever that is. Within gRPC it leaves locks behind that
    nobody opens any more, and the program never ends.

    Args:
        call: is handed what stops it; all that it raises is raised here.
    """
    stop = Stop()
    with ThreadPoolExecutor(1, "call") as thread:
        try:
            return thread.submit(call, stop).result()
        except BaseException:
            stop.set()
            raise
