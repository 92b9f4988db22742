"""The ``upscale`` command: a client of a server elsewhere, or of one inside the process."""

import io
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

_FAILED, _INTERRUPTED = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code, whatever moment it is interrupted at."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files need not be text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            # Imported here because that takes a while, in which Ctrl-C is pressed as well.
            from serving.cli.command import run

            return run(argv)
        finally:
            # Not left to the interpreter's end, where nobody could catch what goes wrong.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read has had enough, as `head` has. What is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
