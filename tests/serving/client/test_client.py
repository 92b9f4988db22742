"""Both clients, against a running server and against one that refuses at first."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from protos.upscaler.v1 import upscaler_pb2_grpc
from protos.upscaler.v1.upscaler_pb2 import UpscaleResponse, UpscaleStreamResponse
from serving.client import AsyncUpscalerClient, RetryPolicy, UpscaleFailed, UpscalerClient
from serving.codec.formats import ImageFormat
from serving.errors import ServerBusy
from serving.rpc.status import DETAILS_KEY, status_of
from serving.stop import Stop, Stopped
from tests.serving.files import checker, enlarged, read_png, write_png

Call = Callable[..., UpscaleResponse]


def synchronous(address: str, method: str, *given: Any, **options: Any) -> Any:
    with UpscalerClient(address) as client:
        return getattr(client, method)(*given, **options)


def asynchronous(address: str, method: str, *given: Any, **options: Any) -> Any:
    results = []  # asyncio.run would spend seconds on the repr of a large result.

    async def call() -> None:
        async with AsyncUpscalerClient(address) as client:
            results.append(await getattr(client, method)(*given, **options))

    asyncio.run(call())
    return results[0]


@pytest.fixture(params=[synchronous, asynchronous])
def call(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_content_and_paths_are_upscaled(call: Any, address: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(write_png(checker(3)))
    for image in (path, path.read_bytes()):
        response = call(address, "upscale", image)
        assert np.array_equal(read_png(response.image), enlarged(checker(3)))
        assert (response.input.width, response.output.width) == (9, 36)
        assert response.model.name == "nearest"
        assert response.timings.encode.ToNanoseconds() > 0


def test_the_result_goes_into_a_file_as_it_comes(call: Any, address: str) -> None:
    file = BytesIO()
    response = call(address, "upscale_into", file, write_png(checker(3)), scale=2)
    assert read_png(file.getvalue()).shape == (12, 18, 3)
    assert response.image == b""


def test_progress_is_told(call: Any, address: str) -> None:
    told: list[tuple[int, int]] = []
    image = write_png(checker(3, height=200))
    call(address, "upscale", image, progress=lambda *rows: told.append(rows))
    assert told == sorted(told)
    assert told[-1] == (800, 800)


def test_a_file_and_a_result_of_more_than_a_message(call: Any, address: str) -> None:
    image = write_png(checker(3, np.uint16, 400, 400))
    response = call(address, "upscale", image, model="random", format=ImageFormat.TIFF)
    assert len(response.image) > 5 << 20


def test_models_are_told(call: Any, address: str) -> None:
    assert call(address, "models").default_model == "nearest"
    assert call(address, "model", "x4-fast").halo == 12


def test_a_refusal_names_the_field(call: Any, address: str) -> None:
    with pytest.raises(UpscaleFailed, match=r"options\.quality is 101") as caught:
        call(address, "upscale", write_png(checker(3)), quality=101)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.reason, caught.value.field) == ("INVALID_OPTION", "options.quality")


def test_a_missing_file_is_an_os_error(call: Any, address: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        call(address, "upscale", tmp_path / "none.png")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that cannot be read")
def test_what_keeps_a_file_from_being_read_is_raised(
    call: Any, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OSError, match="Input/output error"):
        call(address, "upscale", Path("/proc/self/mem"), timeout_s=30)
    assert not caplog.records


@pytest.mark.parametrize("begun", [False, True])
def test_a_file_that_stalls_does_not_outlast_the_deadline(
    call: Any, address: str, tmp_path: Path, begun: bool
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    over = threading.Event()

    def feed() -> None:
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as file:
            file.write(b"some")
            over.wait()

    feeder = threading.Thread(target=feed)
    if begun:
        feeder.start()
    started = time.monotonic()
    with pytest.raises(UpscaleFailed) as caught:
        call(address, "upscale", pipe, timeout_s=0.5)
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 5
    over.set()
    if not begun:
        feeder.start()
    feeder.join()


def test_waiting_for_a_thread_counts_for_the_deadline(address: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def scenario() -> float:
        async with AsyncUpscalerClient(address, max_calls=1) as client:
            task = asyncio.create_task(client.upscale(pipe, timeout_s=10))
            await asyncio.sleep(0.1)
            started = time.monotonic()
            with pytest.raises(UpscaleFailed, match="DEADLINE_EXCEEDED: other calls have taken"):
                await client.models(timeout_s=0.3)
            waited = time.monotonic() - started
            task.cancel()
            await client.models(timeout_s=10)
            pipe.open("wb").close()
            return waited

    assert 0.3 <= asyncio.run(scenario()) < 2


@pytest.mark.parametrize("timeout_s", [1e12, float("inf")])
def test_a_deadline_may_be_as_late_as_you_like(call: Any, address: str, timeout_s: float) -> None:
    assert call(address, "models", timeout_s=timeout_s).default_model == "nearest"


def test_a_deadline_covers_all_tries(call: Any) -> None:
    started = time.monotonic()
    with pytest.raises(UpscaleFailed) as caught:
        call("127.0.0.1:1", "models", timeout_s=0.5)
    assert caught.value.code in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )
    assert time.monotonic() - started < 2


class Reluctant(upscaler_pb2_grpc.UpscalerServiceServicer):
    """Refuses the first two calls, and fails the one after in the middle if it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.break_off = False

    def UpscaleStream(  # noqa: N802
        self, request_iterator: Iterator[Any], context: Any
    ) -> Iterator[UpscaleStreamResponse]:
        self.calls += 1
        if self.calls <= 2:
            status = status_of(ServerBusy("queue", "full", "a new try", retry_after_s=0.05))
            assert status is not None
            context.set_trailing_metadata([(DETAILS_KEY, status.SerializeToString())])
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, status.message)
        sent = b"".join(request.chunk for request in request_iterator)
        yield UpscaleStreamResponse(chunk=sent)
        if self.break_off:
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone")


@pytest.fixture
def reluctant() -> Iterator[tuple[str, Reluctant]]:
    server = grpc.server(ThreadPoolExecutor(2))
    servicer = Reluctant()  # type: ignore[abstract]  # It answers one call only.
    upscaler_pb2_grpc.add_UpscalerServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", servicer
    server.stop(None)


def test_a_refused_call_is_sent_again_whole(call: Any, reluctant: tuple[str, Reluctant]) -> None:
    address, servicer = reluctant
    image = bytes(range(256)) * 10_000
    assert call(address, "upscale", image).image == image
    assert servicer.calls == 3


def test_what_was_half_received_is_not_asked_for_again(
    call: Any, reluctant: tuple[str, Reluctant]
) -> None:
    address, servicer = reluctant
    servicer.break_off = True
    with pytest.raises(UpscaleFailed, match="gone"):
        call(address, "upscale", b"image")
    assert servicer.calls == 3


def test_a_call_is_given_up_from_outside(address: str) -> None:
    async def scenario() -> float:
        image = write_png(checker(3, height=440, width=440))
        async with AsyncUpscalerClient(address) as client:
            task = asyncio.create_task(client.upscale(image, model="x4-fast", timeout_s=60))
            await asyncio.sleep(0.05)
            task.cancel()
            started = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.models()
            return time.monotonic() - started

    assert asyncio.run(scenario()) < 1


def test_waiting_for_a_new_try_is_given_up_from_outside() -> None:
    stop = Stop()
    threading.Timer(0.2, stop.set).start()
    policy = RetryPolicy(first_wait_s=30)
    with UpscalerClient("127.0.0.1:1", policy) as client, pytest.raises(Stopped):
        client.models(timeout_s=60, stop=stop)


def test_a_call_whose_client_is_closed_is_not_tried_again(address: str) -> None:
    image = write_png(checker(3, height=440, width=440))
    client = UpscalerClient(address)

    def close(*_: int) -> None:
        threading.Thread(target=client.__exit__, args=[None, None, None]).start()

    with pytest.raises(UpscaleFailed) as caught:
        client.upscale(image, model="x4-fast", progress=close)
    assert caught.value.code is grpc.StatusCode.CANCELLED


def test_a_policy_may_forbid_new_tries(reluctant: tuple[str, Reluctant]) -> None:
    address, servicer = reluctant
    with (
        UpscalerClient(address, RetryPolicy(attempts=1)) as client,
        pytest.raises(UpscaleFailed, match="queue is full") as caught,
    ):
        client.upscale(b"image")
    assert caught.value.retry_after_s == pytest.approx(0.05)
    assert servicer.calls == 1
