"""Prometheus metrics of one server.

Several servers of one machine (``--workers``) write into the files of a folder, from which one
process answers for all; that is what ``PROMETHEUS_MULTIPROC_DIR`` turns on in the client library.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector

from protos.upscaler.v1 import upscaler_pb2
from serving.checks import check_range
from serving.errors import InvalidConfig
from serving.load.queue import PixelQueue
from serving.processor import resident_mib
from serving.rpc.call import Call

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
# A method that does not exist could be called anything.
_METHODS = {
    f"/{service.full_name}/{method.name}"
    for module in (upscaler_pb2, health_pb2, reflection_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


@dataclass(frozen=True)
class MetricsAt:
    """Where metrics are served.

    Raises:
        InvalidConfig: the port is out of its range.
    """

    metrics_port: int | None = None
    """TCP port for Prometheus (GET /metrics); by default none."""

    metrics_host: str = "127.0.0.1"
    """Address for it."""

    def __post_init__(self) -> None:
        if self.metrics_port is not None:
            check_range(self, "metrics_port", 1, 65535)


class Metrics:
    """What is counted of one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._memory: Gauge | None = None
        if FOLDER_VARIABLE not in os.environ:
            ProcessCollector(registry=registry)
        else:  # Whoever answers can look at no other process.
            self._memory = Gauge(
                "process_resident_memory_bytes",
                "Memory of each process, at the beginning or end of its last picture.",
                registry=registry,
                multiprocess_mode="liveall",
            )
            self._memory.set(resident_mib() * 2**20)
        self._calls = Counter(
            "upscaler_calls", "Calls that have ended.", ["method", "code"], registry=registry
        )
        self._seconds = Histogram(
            "upscaler_call_seconds",
            "Duration of calls, streams to their end.",
            ["method"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._refusals = Counter(
            "upscaler_refusals", "Calls that failed, by reason.", ["reason"], registry=registry
        )
        self._stages = Histogram(
            "upscaler_stage_seconds",
            "Time of pictures in each stage; stages overlap.",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._pixels = Counter(
            "upscaler_pixels",
            "Pixels of pictures that were finished.",
            ["model", "side"],
            registry=registry,
        )
        self._queue = {
            name: Gauge(
                f"upscaler_queue_{name}", help, registry=registry, multiprocess_mode="livesum"
            )
            for name, help in (
                ("pixels", "Pixels that the network is to be given, running and waiting."),
                ("requests", "Requests that run or wait."),
                ("running", "Requests that run."),
            )
        }

    def count_call(self, call: Call) -> None:
        """Notes a call that has ended."""
        method = call.method if call.method in _METHODS else "other"
        self._calls.labels(method, call.code.name).inc()
        self._seconds.labels(method).observe(call.seconds)
        if call.reason:
            self._refusals.labels(call.reason).inc()

    def count_picture(
        self, model: str, pixels_in: int, pixels_out: int, seconds: Mapping[str, float]
    ) -> None:
        """Notes a picture that was finished, and the seconds of each of its stages."""
        self._pixels.labels(model, "in").inc(pixels_in)
        self._pixels.labels(model, "out").inc(pixels_out)
        for stage, taken in seconds.items():
            self._stages.labels(stage).observe(taken)

    def show_queue(self, queue: PixelQueue) -> None:
        """Notes how full the queue is, and with several processes this one's memory."""
        for name, gauge in self._queue.items():
            gauge.set(getattr(queue, name))
        if self._memory:
            self._memory.set(resident_mib() * 2**20)

    def serve(self, at: MetricsAt) -> Callable[[], None]:
        """Answers ``GET /metrics``, for all processes that share a folder; returns what ends that.

        Raises:
            InvalidConfig: the address is not free.
        """
        registry = self.registry
        if FOLDER_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        assert at.metrics_port is not None
        try:
            server, thread = start_http_server(at.metrics_port, at.metrics_host, registry)
        except (OSError, UnicodeError) as error:
            raise InvalidConfig(
                "metrics_host and metrics_port",
                f"{at.metrics_host}:{at.metrics_port}",
                "an address that is free to listen on",
            ) from error

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop
