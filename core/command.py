"""What every training command does: parse, log, turn the user's errors into exit code 2."""

import io
import logging
import sys
from collections.abc import Callable
from typing import TypeVar

import tyro

__all__ = ["UserError", "option", "run_command"]

Config = TypeVar("Config")


def option(name: str) -> str:
    """Return how the command line spells the setting ``name``."""
    return "--" + name.replace("_", "-")


class UserError(Exception):
    """Something that the user can mend; the message names it and says what is allowed."""


def run_command(
    config_type: type[Config], action: Callable[[Config], bool], default: Config | None = None
) -> None:
    """Parse the command line into ``config_type``, act on it, and exit.

    Settings that are not given are those of ``default``, or of the type.

    Exit codes: 0 done, 2 for a usage error, a :class:`UserError` or a file that cannot be read or
    written, 130 when ``action`` is interrupted, also where it ends well and returns False.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files need not be text
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        config = (
            tyro.cli(config_type) if default is None else tyro.cli(config_type, default=default)
        )
        finished = action(config)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except OSError as error:
        if error.filename is None:  # nothing that the user named, such as a network
            raise
        sys.stderr.write(f"error: {error.filename} cannot be read or written: {error.strerror}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        finished = False
    sys.exit(0 if finished else 130)
