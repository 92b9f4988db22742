"""The page's command line: ``python -m serving.web``."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import tyro

from serving.errors import ServingError
from serving.service import Service

_OK, _FAILED, _WRONG_USE = 0, 1, 2


@dataclass(frozen=True)
class Arguments:
    """Serves a page on which pictures are enlarged, until SIGTERM or SIGINT."""

    host: str = "127.0.0.1"
    """Address to listen on; everybody who reaches it may use the page."""

    port: int = 7860
    """TCP port."""

    service: tyro.conf.OmitArgPrefixes[Service] = field(default_factory=Service)
    """The service that enlarges."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the page; returns 0 after a signal, 2 for wrong arguments, 1 for any other failure."""
    try:
        arguments = tyro.cli(Arguments, prog="python -m serving.web", args=argv)
        if find_spec("gradio") is None:
            return _fail(
                _WRONG_USE, "the page needs the extra [web]: pip install 'srgan-service[web]'"
            )
        serve(arguments)
    except ServingError as error:
        return _fail(_WRONG_USE, str(error))
    except OSError as error:
        return _fail(_FAILED, str(error))
    return _OK


def serve(arguments: Arguments) -> None:
    """Serves the page until SIGTERM or SIGINT; then nothing is left of what was uploaded.

    Raises:
        ServingError: no service can be started with these models.
        OSError: the port is taken, or a file cannot be read.
    """
    told_to_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())
    with (
        TemporaryDirectory(prefix="upscale-web-") as temporary,
        arguments.service.connect() as client,
    ):
        cache, kept = Path(temporary, "cache"), Path(temporary, "examples")
        cache.mkdir()
        kept.mkdir()
        # Gradio reads both when it is imported.
        os.environ |= {"GRADIO_TEMP_DIR": str(cache), "GRADIO_ANALYTICS_ENABLED": "False"}
        from serving.web.examples import write_examples
        from serving.web.page import Page
        from serving.web.work import Workshop

        page = Page(Workshop(client, cache), write_examples(kept))
        url = page.launch(arguments.host, arguments.port)
        sys.stdout.write(f"The page is at {url}\n")
        sys.stdout.flush()
        told_to_stop.wait()
        page.blocks.close()


def _fail(code: int, message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
