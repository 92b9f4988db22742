"""Threads that compute let those go first that answer calls."""

import os
import sys

# Enough that the scheduler prefers the others at once, and little beside other programs.
_STEPS = 5


def yield_to_others() -> None:
    """Lowers the calling thread's priority, on Linux only: elsewhere it would be the process's."""
    if sys.platform == "linux":
        os.nice(_STEPS)
