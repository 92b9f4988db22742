"""From the command line to the exit code."""

import signal
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Protocol

import tyro

from serving.cli.errors import INTERRUPTED, OK, exit_code, sentence
from serving.cli.info import Info
from serving.cli.models import Models
from serving.cli.upscale import Upscale
from serving.cli.values import VALUES
from serving.client import UpscaleFailed
from serving.errors import ServingError
from serving.signals import handled

# Options are called by the settings alone, whatever group they are in.
_STYLE = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)


class Command(Protocol):
    """Arguments that know what to do."""

    def run(self) -> int:
        """Does it, and returns the exit code.

        Raises:
            ServingError: the arguments cannot be carried out.
            UpscaleFailed: a call did not succeed.
            OSError: a file cannot be read or written.
        """


_COMMANDS: Mapping[str, type[Command]] = {"models": Models, "info": Info}


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code.

    Raises:
        BrokenPipeError: nobody reads what it writes any more.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words == ["--version"]:
            sys.stdout.write(f"upscale {version('srgan-service')}\n")
            return OK
        # SIGTERM is what Ctrl-C is.
        with handled(signal.SIGTERM, signal.default_int_handler):
            return _command(words).run()
    except BrokenPipeError:
        raise
    except (ServingError, UpscaleFailed, OSError) as error:
        sys.stderr.write(f"upscale: error: {sentence(error)}\n")
        return exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED


def _command(words: list[str]) -> Command:
    # Upscaling needs no name of its own, which the parser's own subcommands would ask for.
    if words and words[0] in _COMMANDS:
        kind, prog, words = _COMMANDS[words[0]], f"upscale {words[0]}", words[1:]
    else:
        kind, prog = Upscale, "upscale"
    with VALUES:
        return tyro.cli(kind, prog=prog, args=words, config=_STYLE)
