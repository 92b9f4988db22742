"""One server: what it consists of, how it starts and how it ends."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from protos.upscaler.v1 import upscaler_pb2_grpc
from serving.addresses import check_host
from serving.catalog import Catalog
from serving.config import ServerConfig
from serving.errors import InvalidConfig
from serving.load.queue import PixelQueue
from serving.load.threads import Threads
from serving.observe.logs import log_call
from serving.observe.metrics import Metrics
from serving.observe.traces import Traces, exporting
from serving.pipeline.upscaler import Upscaler
from serving.reload import ModelWatch, try_all, try_out
from serving.rpc import service
from serving.rpc.channel import server_options
from serving.rpc.exchange import Exchange
from serving.rpc.guards import AccessGuard, DrainGuard, LimitGuard, MetadataGuard, QueueGuard
from serving.rpc.interceptor import CallInterceptor, Guard
from serving.security.tls import server_credentials
from serving.security.tokens import Tokens
from serving.session import Computing
from serving.tune import setting_for

# More than requests can run: the queue decides which do.
_THREADS = 1024
_HEALTH_NAMES = (health.OVERALL_HEALTH, service.NAME)
# What is left to send when the last call has been answered.
_FLUSH_S = 0.5


class UpscalerServer:
    """One server: start it, then stop it, in one event loop.

    Args:
        config: its settings.
        share_port: whether other processes listen on the port, too.

    Raises:
        InvalidConfig: a path of models, a certificate or the file of tokens is wrong.
        UnknownModel: there is no such default model.
        InvalidModel: it cannot be served.
    """

    def __init__(self, config: ServerConfig, share_port: bool = False) -> None:
        self._config = config
        self._share_port = share_port
        self._credentials = server_credentials(config.tls) if config.tls else None
        tokens = Tokens(config.token_file) if config.token_file else None
        offer = partial(Catalog, config.models, config.default_model, hints=config.hints)
        setting = setting_for(offer(), config)
        catalog = offer(
            computing=Computing(
                setting.threads,
                setting.spinning,
                config.provider,
                config.max_batch,
                config.batch_delay_ms / 1000,
            ),
            memory_mib=config.close_models_above_mib,
        )
        self._upscaler = Upscaler(
            catalog,
            setting.concurrency,
            config.tile,
            config.limits.max_input_pixels,
            config.limits.max_output_pixels,
        )
        self._watch = ModelWatch(self._upscaler, config.watch_models_s)
        self._metrics = Metrics()
        self._queue = PixelQueue(
            config.limits.max_queued_pixels, setting.concurrency, self._metrics.show_queue
        )
        self._threads = Threads(_THREADS)
        self._traces = Traces(exporting()) if config.traces else None
        self._drain = DrainGuard()
        access = [AccessGuard(tokens)] if tokens else []
        self._guards: list[Guard] = [
            MetadataGuard(config.limits.max_metadata_kib),
            self._drain,
            *access,
            LimitGuard(config.limits),
            QueueGuard(self._queue),
        ]
        self._background: list[asyncio.Task[None]] = []
        self._stop_metrics: Callable[[], None] | None = None

    def check(self) -> None:
        """Runs all models that the settings name, and the default one, once; looks at addresses.

        Raises:
            InvalidModel: a model cannot be served.
            InvalidConfig: calls or metrics cannot: their address is not of this machine.
        """
        check_host("host", self._config.host)
        if self._config.metrics.metrics_port is not None:
            check_host("metrics_host", self._config.metrics.metrics_host)
        self._upscaler.warm_up()
        catalog = self._upscaler.catalog
        for path in catalog.untried:
            try_out(catalog.open(path))

    async def start(self, try_models: bool = False) -> str:
        """Listens, loads the default model, and then reports itself healthy.

        Args:
            try_models: whether all models that the settings name are tried before; one that cannot
                be served is reported and left out.

        Returns:
            The address to call, ``host:port``.

        Raises:
            InvalidConfig: the address, or that for metrics, cannot be listened on.
            InvalidModel: the default model cannot be served.
        """
        limits = self._config.limits
        traces = [self._traces.record_call] if self._traces else []
        observers = [log_call, self._metrics.count_call, *traces]
        exchange = Exchange(limits.max_idle_s, limits.max_message_mib * 2**20)
        self._server = grpc.aio.server(
            interceptors=[CallInterceptor(self._guards, observers, exchange)],
            options=server_options(
                limits.max_message_mib, limits.max_metadata_kib, self._share_port
            ),
        )
        upscaler_pb2_grpc.add_UpscalerServiceServicer_to_server(
            service.UpscalerService(
                self._upscaler, self._queue, self._threads, limits, self._metrics
            ),
            self._server,
        )
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self._config.reflection:
            reflection.enable_server_reflection(
                [service.NAME, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
            )
        await self._report(health_pb2.HealthCheckResponse.NOT_SERVING)
        address = self._listen()
        if self._config.metrics.metrics_port is not None:
            self._stop_metrics = self._metrics.serve(self._config.metrics)
        await self._server.start()
        await asyncio.to_thread(self._upscaler.warm_up)
        if try_models:
            await asyncio.to_thread(try_all, self._upscaler.catalog)
        self._background.append(asyncio.create_task(self._watch.run()))
        await self._report(health_pb2.HealthCheckResponse.SERVING)
        return address

    def reload_models(self) -> None:
        """Looks for new, changed and removed model files now."""
        self._watch.look()

    async def drain(self) -> None:
        """Reports itself as not healthy, refuses new calls, and lets running ones finish."""
        await self._health.enter_graceful_shutdown()
        self._drain.close()
        await self._drain.empty(self._config.grace_s)
        if self._traces:
            await self._traces.flush()

    async def stop(self) -> None:
        """Drains and ends; a call that comes in the last moment is cancelled."""
        await self.drain()
        await self._server.stop(_FLUSH_S)
        for task in self._background:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._stop_metrics:
            await asyncio.to_thread(self._stop_metrics)
        self._threads.close()
        self._upscaler.close()

    def _listen(self) -> str:
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        address = f"{host}:{self._config.port}"
        try:
            if self._credentials:
                port = self._server.add_secure_port(address, self._credentials)
            else:
                port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise InvalidConfig(
                "host and port", address, "an address that is free to listen on"
            ) from error
        return f"{host}:{port}"

    async def _report(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in _HEALTH_NAMES:
            await self._health.set(name, status)
