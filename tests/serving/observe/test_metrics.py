import socket
from collections.abc import Callable
from contextlib import closing
from urllib.request import urlopen

import grpc
import pytest

from serving.errors import InvalidConfig
from serving.load.queue import PixelQueue
from serving.observe.metrics import Metrics, MetricsAt
from serving.rpc.call import Call


def call(method: str, code: grpc.StatusCode = grpc.StatusCode.OK, reason: str = "") -> Call:
    return Call(method, {}, "127.0.0.1", "id", "shop", code, reason)


@pytest.fixture
def value() -> Callable[..., float | None]:
    return lambda metrics, name, **labels: metrics.registry.get_sample_value(name, labels)


def test_calls_are_counted_by_their_end(value: Callable[..., float | None]) -> None:
    metrics = Metrics()
    metrics.count_call(call("/upscaler.v1.UpscalerService/Upscale"))
    metrics.count_call(
        call("/upscaler.v1.UpscalerService/Upscale", grpc.StatusCode.NOT_FOUND, "UNKNOWN_MODEL")
    )
    method = "/upscaler.v1.UpscalerService/Upscale"
    assert value(metrics, "upscaler_calls_total", method=method, code="OK") == 1
    assert value(metrics, "upscaler_calls_total", method=method, code="NOT_FOUND") == 1
    assert value(metrics, "upscaler_refusals_total", reason="UNKNOWN_MODEL") == 1
    assert value(metrics, "upscaler_call_seconds_count", method=method) == 2


def test_a_client_cannot_make_up_labels(value: Callable[..., float | None]) -> None:
    metrics = Metrics()
    for number in range(3):
        metrics.count_call(call(f"/made.up/{number}"))
        metrics.count_call(call(f"/upscaler.v1.UpscalerService/{number}"))
    metrics.count_call(call("/grpc.health.v1.Health/Check"))
    assert value(metrics, "upscaler_calls_total", method="other", code="OK") == 6


def test_pictures_are_counted_in_pixels_and_stages(value: Callable[..., float | None]) -> None:
    metrics = Metrics()
    metrics.count_picture("x4", 100, 1600, {"queue": 0.5, "decode": 0.01})
    assert value(metrics, "upscaler_pixels_total", model="x4", side="in") == 100
    assert value(metrics, "upscaler_pixels_total", model="x4", side="out") == 1600
    assert value(metrics, "upscaler_stage_seconds_sum", stage="queue") == 0.5


def test_the_queue_is_shown(value: Callable[..., float | None]) -> None:
    metrics, queue = Metrics(), PixelQueue(100, 1)
    queue.requests, queue.running = 3, 2
    metrics.show_queue(queue)
    assert value(metrics, "upscaler_queue_requests") == 3
    assert value(metrics, "upscaler_queue_running") == 2
    assert value(metrics, "upscaler_queue_pixels") == 0


def test_metrics_are_served() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    metrics = Metrics()
    metrics.count_call(call("/upscaler.v1.UpscalerService/Upscale"))
    server = metrics.serve(MetricsAt(port))
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        with pytest.raises(InvalidConfig, match=f"metrics_port is {port}"):
            metrics.serve(MetricsAt(port))
    finally:
        server.shutdown()
        server.server_close()
    assert "upscaler_calls_total" in text
    assert "process_resident_memory_bytes" in text
