"""A request that nobody waits for any more takes no more of the processor."""

import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Timer
from typing import Any

import grpc
import numpy as np
import pytest

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.catalog import BUNDLED
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.model import Model, load_model
from serving.stop import Stop, Stopped
from tests.serving.files import checker, enlarged, pillow, write

# What is promised is 0.2; a busy test machine gets more. The work that is stopped takes longer.
IDLE_AFTER_S = 2.0


def test_a_running_network_is_interrupted() -> None:
    model = load_model(BUNDLED / "x4-fast.onnx")
    stop = Stop()
    Timer(0.1, stop.set).start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        model.until(stop).run(np.zeros((1, 3, 1500, 1500), np.float32))
    assert time.monotonic() - started < 0.1 + IDLE_AFTER_S


def test_after_the_stop_nothing_runs(nearest: Model) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        nearest.until(stop).run(np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(Stopped):
        list(stop.each([1, 2]))
    assert nearest.run(np.zeros((1, 3, 8, 8), np.float32)).shape == (1, 3, 32, 32)


def test_a_failure_of_its_own_is_no_stop(nearest: Model) -> None:
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        nearest.until(Stop()).run(np.zeros((1, 5, 8, 8), np.float32))


@pytest.fixture(scope="module")
def stub() -> Iterator[upscaler_pb2_grpc.UpscalerServiceStub]:
    with (
        embedded_server(ServerConfig(port=0)) as address,
        grpc.insecure_channel(address) as channel,
    ):
        yield upscaler_pb2_grpc.UpscalerServiceStub(channel)


def idle_after_s() -> float:
    """Seconds until this process does next to nothing for a while."""
    started = time.monotonic()
    while (now := time.monotonic()) - started < 10:
        before = time.process_time()
        time.sleep(0.2)
        if time.process_time() - before < 0.03:
            break
    return now - started


PHOTO = write(pillow(enlarged(checker(3, height=100, width=100), 24)), "JPEG")


def requests() -> Iterator[upscaler_pb2.UpscaleStreamRequest]:
    yield upscaler_pb2.UpscaleStreamRequest(chunk=PHOTO)


def test_nothing_is_computed_for_a_client_that_has_gone(
    stub: upscaler_pb2_grpc.UpscalerServiceStub,
) -> None:
    call: Any = stub.UpscaleStream(requests())
    assert next(call).WhichOneof("part") == "started"
    call.cancel()
    assert idle_after_s() < IDLE_AFTER_S


@pytest.mark.parametrize("streaming", [False, True])
def test_nothing_is_computed_past_the_deadline(
    stub: upscaler_pb2_grpc.UpscalerServiceStub, streaming: bool
) -> None:
    with suppress(grpc.RpcError):
        if streaming:
            list(stub.UpscaleStream(requests(), timeout=0.3))
        else:
            stub.Upscale(upscaler_pb2.UpscaleRequest(image=PHOTO), timeout=0.3)
    assert idle_after_s() < IDLE_AFTER_S
