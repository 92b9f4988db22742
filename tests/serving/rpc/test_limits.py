"""What a client may not take is refused at once, with a code and the time to come back."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, cast

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, QuotaFailure, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.load.limits import Limits
from tests.serving.files import checker, enlarged, read_png, write_png
from tests.serving.rpc.details import detail

Request = upscaler_pb2.UpscaleStreamRequest
Stub = upscaler_pb2_grpc.UpscalerServiceStub
UPSCALE = "/upscaler.v1.UpscalerService/Upscale"
SERVING = health_pb2.HealthCheckResponse.SERVING
SMALL = upscaler_pb2.UpscaleRequest(image=write_png(checker(3)))


@contextmanager
def running(models: Path, limits: Limits) -> Iterator[str]:
    config = ServerConfig(
        port=0, models=(models,), default_model="nearest", concurrency=1, limits=limits
    )
    with embedded_server(config) as address:
        yield address


@contextmanager
def serving(models: Path, limits: Limits) -> Iterator[Stub]:
    with running(models, limits) as address, grpc.insecure_channel(address) as channel:
        yield Stub(channel)


class HalfOpen:
    """A stream whose file never ends."""

    def __init__(self, stub: Stub, size: int = 0) -> None:
        self._ended = False
        self._size = size
        self.call: Any = stub.UpscaleStream(self._requests())

    def _requests(self) -> Iterator[Request]:
        yield Request(options=upscaler_pb2.UpscaleOptions())
        if self._size:
            yield Request(chunk=bytes(self._size))
        while not self._ended:
            time.sleep(0.01)

    def __enter__(self) -> None:
        time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self.call.cancel()


@contextmanager
def never_sent(address: str, method: str, count: int) -> Iterator[list[Any]]:
    """Calls of one message each, which does not come."""
    over = Event()
    with grpc.insecure_channel(address) as channel:
        start = channel.stream_unary(method, None, None).future
        try:
            yield [start(iter(over.wait, True)) for _ in range(count)]
        finally:
            over.set()


def codes_of(calls: list[Any]) -> Counter[str]:
    return Counter(call.code().name for call in calls)


def refusal(stub: Stub) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        stub.Upscale(SMALL)
    return caught.value


def test_a_client_with_too_many_calls(models: Path) -> None:
    with serving(models, Limits(max_client_calls=1)) as stub:
        with HalfOpen(stub):
            error = refusal(stub)
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert detail(error, ErrorInfo).reason == "QUOTA_EXCEEDED"
            assert detail(error, QuotaFailure).violations[0].subject == "calls"
            assert detail(error, RetryInfo).retry_delay.ToMilliseconds() > 0
        time.sleep(0.2)
        assert np.array_equal(read_png(stub.Upscale(SMALL).image), enlarged(checker(3)))


def test_too_many_calls_of_all(models: Path) -> None:
    with serving(models, Limits(max_calls=1)) as stub, HalfOpen(stub):
        error = refusal(stub)
        assert detail(error, ErrorInfo).reason == "SERVER_BUSY"
        assert "server is full with 1 calls" in error.details()


def test_too_many_bytes_of_all(models: Path) -> None:
    sentence = "server is full with 900000 bytes of files"
    with serving(models, Limits(max_files_mib=1)) as stub, HalfOpen(stub, 900_000):
        second = stub.UpscaleStream(iter([Request(chunk=bytes(200_000))]))
        with pytest.raises(grpc.RpcError, match=sentence):
            list(second)
        with pytest.raises(grpc.RpcError, match=sentence):
            stub.Upscale(upscaler_pb2.UpscaleRequest(image=bytes(200_000)))


def test_a_queue_that_is_full_of_pixels(models: Path) -> None:
    photo = write_png(checker(3, height=700, width=700))
    with serving(models, Limits(max_queued_pixels=500_000)) as stub:
        options = upscaler_pb2.UpscaleOptions(model="random")
        running: Any = stub.UpscaleStream(iter([Request(options=options), Request(chunk=photo)]))
        assert next(running).WhichOneof("part") == "started"
        started = time.monotonic()
        error = refusal(stub)
        assert time.monotonic() - started < 0.5
        assert detail(error, RetryInfo).retry_delay.ToMilliseconds() >= 100
        assert stub.ListModels(upscaler_pb2.ListModelsRequest()).models
        assert [*running][-1].WhichOneof("part") == "finished"
        assert stub.Upscale(SMALL).output.width == 36


def test_a_full_queue_refuses_before_the_picture_has_come(models: Path) -> None:
    options = upscaler_pb2.UpscaleOptions(model="random")
    photo = write_png(checker(3, height=700, width=700))
    with (
        running(models, Limits(max_queued_pixels=500_000)) as address,
        grpc.insecure_channel(address) as channel,
    ):
        begun: Any = Stub(channel).UpscaleStream(
            iter([Request(options=options), Request(chunk=photo)])
        )
        assert next(begun).WhichOneof("part") == "started"
        for method in (UPSCALE, f"{UPSCALE}Stream"):
            with never_sent(address, method, 1) as (call,):
                assert call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
                assert detail(call, ErrorInfo).reason == "SERVER_BUSY"
        assert [*begun][-1].WhichOneof("part") == "finished"


def test_a_stream_that_stands_still(models: Path) -> None:
    with serving(models, Limits(max_idle_s=0.3)) as stub:
        stream = HalfOpen(stub)
        with stream, pytest.raises(grpc.RpcError, match=r"request is idle for 0\.3 s") as caught:
            list(stream.call)
        assert cast(grpc.Call, caught.value).code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_reader_that_does_not_read(models: Path) -> None:
    noise = write_png(checker(3, height=500, width=500))
    options = upscaler_pb2.UpscaleOptions(model="random", format=upscaler_pb2.IMAGE_FORMAT_TIFF)
    with serving(models, Limits(max_idle_s=0.3)) as stub:
        stream: Any = stub.UpscaleStream(iter([Request(options=options), Request(chunk=noise)]))
        assert next(stream).WhichOneof("part") == "started"
        time.sleep(2)
        with pytest.raises(grpc.RpcError, match=r"response is idle for 0\.3 s"):
            list(stream)


def test_a_message_that_does_not_come(models: Path) -> None:
    with running(models, Limits(max_idle_s=0.3)) as address:
        for method in (UPSCALE, "/grpc.health.v1.Health/Check"):
            with never_sent(address, method, 1) as (call,):
                assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
                assert call.details().startswith("request is idle for 0.3 s")


def test_a_call_counts_before_its_message_has_come(models: Path) -> None:
    with (
        running(models, Limits(max_client_calls=2, max_idle_s=0.5)) as address,
        never_sent(address, UPSCALE, 5) as calls,
    ):
        assert codes_of(calls) == {"RESOURCE_EXHAUSTED": 3, "DEADLINE_EXCEEDED": 2}


def test_a_call_without_its_message(models: Path) -> None:
    with running(models, Limits()) as address, grpc.insecure_channel(address) as channel:
        with pytest.raises(grpc.RpcError, match="request is missing") as caught:
            channel.stream_unary(UPSCALE, None, None)(iter([]))
        assert detail(caught.value, ErrorInfo).reason == "INVALID_REQUEST"


def test_watchers_of_health_are_bounded_and_hold_up_no_other_calls(models: Path) -> None:
    with (
        running(models, Limits(max_client_calls=3)) as address,
        grpc.insecure_channel(address) as channel,
    ):
        health = health_pb2_grpc.HealthStub(channel)
        question = health_pb2.HealthCheckRequest()
        watchers: list[Any] = [health.Watch(question) for _ in range(3)]
        assert {next(watcher).status for watcher in watchers} == {SERVING}
        with pytest.raises(grpc.RpcError, match=r"Health/Watch from 127\.0\.0\.1") as caught:
            next(health.Watch(question))
        assert detail(caught.value, ErrorInfo).reason == "QUOTA_EXCEEDED"
        assert health.Check(question).status == SERVING
        assert Stub(channel).Upscale(SMALL).output.width == 36
        watchers[0].cancel()
        time.sleep(0.2)
        assert next(health.Watch(question)).status == SERVING


def test_a_call_that_takes_too_long(models: Path) -> None:
    with serving(models, Limits(max_call_s=0.3)) as stub:
        stream = HalfOpen(stub)
        with stream, pytest.raises(grpc.RpcError, match=r"call is longer than 0\.3 s") as caught:
            list(stream.call)
        assert cast(grpc.Call, caught.value).code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_metadata_that_is_too_large(models: Path) -> None:
    with serving(models, Limits(max_metadata_kib=8)) as stub:
        assert stub.Upscale(SMALL, metadata=(("note", "x" * 4_000),)).output.width == 36
        for size in (9_000, 20_000):
            with pytest.raises(grpc.RpcError) as caught:
                stub.Upscale(SMALL, metadata=(("note", "x" * size),))
            assert cast(grpc.Call, caught.value).code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            if size < 2 * 8192:  # else it is gRPC that refuses
                assert detail(caught.value, ErrorInfo).reason == "MESSAGE_TOO_LARGE"
