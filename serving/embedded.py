"""The same server inside another program, in a thread of its own."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from serving.config import ServerConfig
from serving.rpc.server import UpscalerServer


@contextmanager
def embedded_server(config: ServerConfig) -> Iterator[str]:
    """Runs a server for as long as the context lasts; gives its address, ``host:port``.

    Raises:
        ServingError: as :class:`UpscalerServer` and its ``start``.
    """
    server = UpscalerServer(config)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="upscaler-server", daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
