"""The gRPC server: ``python -m serving.server --port 50051``."""

import asyncio
import signal
import sys
from collections.abc import Callable

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from protos.upscaler.v1 import upscaler_pb2_grpc
from serving.catalog import Catalog
from serving.config import ServerConfig
from serving.errors import InvalidConfig, ServingError
from serving.load.queue import PixelQueue
from serving.load.threads import Threads
from serving.pipeline.upscaler import Upscaler
from serving.rpc import service
from serving.rpc.channel import server_options
from serving.rpc.guards import LimitGuard
from serving.rpc.interceptor import CallInterceptor

# More than requests can run: the queue decides which do.
_THREADS = 1024
_HEALTH_NAMES = (health.OVERALL_HEALTH, service.NAME)


class UpscalerServer:
    """One server: start it, then stop it, in one event loop.

    Args:
        config: its settings.

    Raises:
        InvalidConfig: a path of models is wrong.
        UnknownModel: there is no such default model.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        catalog = Catalog(config.models, config.default_model, config.threads, config.hints)
        self._upscaler = Upscaler(
            catalog,
            config.workers,
            config.tile,
            config.limits.max_input_pixels,
            config.limits.max_output_pixels,
        )
        self._queue = PixelQueue(config.limits.max_queued_pixels, config.workers)
        self._threads = Threads(_THREADS)

    async def start(self) -> str:
        """Listens, loads the default model, and then reports itself healthy.

        Returns:
            The address to call, ``host:port``.

        Raises:
            InvalidConfig: the address cannot be listened on.
            InvalidModel: the default model cannot be served.
        """
        config, limits = self._config, self._config.limits
        self._server = grpc.aio.server(
            interceptors=[
                CallInterceptor(LimitGuard(limits), max_idle_s=limits.max_idle_s),
            ],
            options=server_options(limits.max_message_mib, limits.max_metadata_kib),
        )
        upscaler_pb2_grpc.add_UpscalerServiceServicer_to_server(
            service.UpscalerService(self._upscaler, self._queue, self._threads, limits),
            self._server,
        )
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if config.reflection:
            reflection.enable_server_reflection(
                [service.NAME, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
            )
        await self._report(health_pb2.HealthCheckResponse.NOT_SERVING)
        host = f"[{config.host}]" if ":" in config.host else config.host
        try:
            port = self._server.add_insecure_port(f"{host}:{config.port}")
        except RuntimeError as error:
            raise InvalidConfig(
                "host and port", f"{host}:{config.port}", "an address that is free to listen on"
            ) from error
        await self._server.start()
        await asyncio.to_thread(self._upscaler.warm_up)
        await self._report(health_pb2.HealthCheckResponse.SERVING)
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Refuses new calls, lets running ones finish for the grace period, and ends."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._config.grace_s)
        self._threads.close()
        self._upscaler.close()

    async def _report(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in _HEALTH_NAMES:
            await self._health.set(name, status)


async def serve(config: ServerConfig, ready: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT; calls `ready` with the address once calls can be answered.

    Raises:
        ServingError: as :class:`UpscalerServer` and its ``start``.
    """
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(told_to_stop.set))
    server = UpscalerServer(config)
    try:
        ready(await server.start())
        await told_to_stop.wait()
    finally:
        await server.stop()


def main() -> int:
    """The command line; returns the exit code: 0 after a signal, 2 for settings that are wrong."""
    import tyro

    def ready(address: str) -> None:
        sys.stdout.write(f"Serving {service.NAME} on {address}\n")
        sys.stdout.flush()

    try:
        asyncio.run(serve(tyro.cli(tyro.conf.OmitArgPrefixes[ServerConfig]), ready))
    except ServingError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
