import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from urllib.error import URLError
from urllib.request import urlopen

import grpc
import pytest

from serving.client import UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import InvalidConfig
from serving.load.queue import PixelQueue
from serving.observe.metrics import Metrics, MetricsAt
from serving.rpc.call import Call
from serving.rpc.server import UpscalerServer
from tests.serving.files import checker, write_png


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def told_at(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        return str(answer.read().decode())


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
    port = free_port()
    metrics = Metrics()
    metrics.count_call(call("/upscaler.v1.UpscalerService/Upscale"))
    stop = metrics.serve(MetricsAt(port))
    try:
        text = told_at(port)
        with pytest.raises(InvalidConfig, match=f"metrics_port is 127.0.0.1:{port}"):
            metrics.serve(MetricsAt(port))
    finally:
        stop()
    assert "upscaler_calls_total" in text
    assert "process_resident_memory_bytes" in text
    with pytest.raises(URLError):
        told_at(port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a" * 100])
def test_a_host_that_is_not_here_cannot_serve_metrics(config: ServerConfig, host: str) -> None:
    at = MetricsAt(free_port(), host)
    with pytest.raises(InvalidConfig, match=f"metrics_host and metrics_port is {host}"):
        Metrics().serve(at)
    with pytest.raises(InvalidConfig, match=f"metrics_host is {host}; expected an address of this"):
        UpscalerServer(replace(config, metrics=at)).check()


def test_a_server_alone_serves_its_metrics_until_it_stops(config: ServerConfig) -> None:
    port = free_port()
    picture = write_png(checker(3, height=400, width=400))
    served = replace(config, metrics=MetricsAt(port), concurrency=1)
    with embedded_server(served) as address, UpscalerClient(address) as client:
        client.upscale(write_png(checker(3)))
        text = told_at(port)
        assert 'upscaler_pixels_total{model="nearest",side="in"} 54.0' in text
        assert "upscaler_queue_requests 0.0" in text
        with ThreadPoolExecutor(3) as threads:
            calls = [threads.submit(client.upscale, picture, model="random") for _ in range(3)]
            seen = set()
            while not all(call.done() for call in calls):
                text = told_at(port)
                seen.add(tuple(re.findall(r"^upscaler_queue_r\w+ (\S+)", text, re.MULTILINE)))
        assert ("3.0", "1.0") in seen  # two wait
    with pytest.raises(URLError):
        told_at(port)
