"""The server's command line: ``python -m serving.server --port 50051``."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from serving.allocator import give_back_memory
from serving.config import ServerConfig
from serving.errors import ServingError
from serving.observe.logs import Logs, set_up, tell_failure
from serving.rpc.server import UpscalerServer
from serving.rpc.service import NAME
from serving.settings import PREFIX, merged, of_environment, of_file, refusing
from serving.signals import end_at_once, hang_up_ignored
from serving.supervisor import of_each, supervise

_OK, _WRONG_SETTINGS = 0, 2
# What a thread that runs Python may keep the event loop waiting: a tenth of the interpreter's own.
_SWITCH_S = 0.0005
# What is left to send when the last call has been answered.
_FLUSH_S = 0.5


@dataclass(frozen=True)
class Command:
    """Serves super-resolution models over gRPC until SIGTERM or SIGINT.

    Settings may also come from a TOML file, with underscores (`max_calls = 8`), and from the
    environment (`UPSCALER_MAX_CALLS=8`); the environment wins over the file, the command line over
    both.
    """

    config: Path | None = None
    """TOML file with settings."""

    check_config: bool = False
    """Check the settings, the files they name and the models, and end."""

    server: ServerConfig = field(default_factory=ServerConfig)


@hang_up_ignored()
def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code: 0 after a signal, 2 for settings that are wrong."""
    arguments = sys.argv[1:] if argv is None else argv
    log_format = _early("log-format", arguments) or Logs().log_format
    try:
        with refusing() if log_format == "json" else nullcontext():
            command = _command(arguments)
        config = command.server
        log_format = config.logs.log_format
        if command.check_config:
            UpscalerServer(of_each(config)).check()
            sys.stdout.write("The settings are fine.\n")
            return _OK
        end_at_once()
        set_up(config.logs)
        if config.workers > 1:
            return supervise(config, serve, _ready)
        asyncio.run(serve(config, _ready))
    except ServingError as error:
        tell_failure(error, log_format)
        return _WRONG_SETTINGS
    return _OK


def _command(arguments: Sequence[str]) -> Command:
    # The file has to be known before all else can be understood.
    path = _early("config", arguments)
    config = ServerConfig()
    files = [of_file(config, Path(path))] if path else []
    return merged(Command(), [*files, of_environment(config)], arguments)


def _early(name: str, arguments: Sequence[str]) -> str | None:
    """A setting of the command line or the environment that is needed before all others."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    variable = f"{PREFIX}{name.replace('-', '_').upper()}"
    parser.add_argument(f"--{name}", dest="given", default=os.environ.get(variable))
    given: str | None = parser.parse_known_args(arguments)[0].given
    return given


def _ready(address: str) -> None:
    sys.stdout.write(f"Serving {NAME} on {address}\n")
    sys.stdout.flush()


async def serve(
    config: ServerConfig, ready: Callable[[str], None], share_port: bool = False
) -> None:
    """Serves until SIGTERM or SIGINT, which may come during the start; SIGHUP looks for new models.

    Args:
        config: the settings.
        ready: called with the address once calls can be answered.
        share_port: whether other processes listen on the port, too.

    Raises:
        ServingError: as :class:`~serving.rpc.server.UpscalerServer` and its ``start``.
    """
    sys.setswitchinterval(_SWITCH_S)
    # Modules stay: looking through them for garbage would stop all threads for 30 ms now and then.
    # Models come later, as they do go.
    gc.freeze()
    give_back_memory()
    loop = asyncio.get_running_loop()
    server = UpscalerServer(config, share_port)
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(told_to_stop.set))
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, lambda *_: loop.call_soon_threadsafe(server.reload_models))
    try:
        starting = loop.create_task(server.start(try_models=True))
        stopping = loop.create_task(told_to_stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            ready(await starting)
            await stopping
        await server.drain()
        await _leave()
    finally:
        await server.stop()


async def _leave() -> NoReturn:
    """Ends the process without ending gRPC.

    That would cancel the calls that arrive in its last moment, and clients do not try CANCELLED
    again. Those whose connection breaks are UNAVAILABLE.
    """
    await asyncio.sleep(_FLUSH_S)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(_OK)


if __name__ == "__main__":
    sys.exit(main())
