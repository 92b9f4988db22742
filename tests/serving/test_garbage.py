"""What a call held goes with it: nothing of a picture waits for the garbage collector."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import grpc

from protos.upscaler.v1.upscaler_pb2 import UpscaleOptions, UpscaleRequest
from protos.upscaler.v1.upscaler_pb2_grpc import UpscalerServiceStub
from serving.client import UpscaleFailed, UpscalerClient
from serving.stop import Stop, Stopped
from serving.strips import Strips
from tests.serving.files import checker, write_png

FILE = write_png(checker(3, height=440, width=440))


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def pictures_left() -> int:
    """Those that the server has not let go of, a while after the call has ended."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        left = sum(isinstance(each, Strips) for each in gc.get_objects())
        if not left:
            break
        time.sleep(0.02)
    return left


def test_a_result(client: UpscalerClient) -> None:
    with without_collector():
        client.upscale(FILE)
        assert pictures_left() == 0


def test_a_damaged_file(client: UpscalerClient) -> None:
    with without_collector():
        with suppress(UpscaleFailed):
            client.upscale(FILE[: len(FILE) // 2])
        assert pictures_left() == 0


def test_a_damaged_file_in_one_message(address: str) -> None:
    with without_collector(), grpc.insecure_channel(address) as channel:
        with suppress(grpc.RpcError):
            UpscalerServiceStub(channel).Upscale(UpscaleRequest(image=FILE[: len(FILE) // 2]))
        assert pictures_left() == 0


def test_a_result_that_no_message_holds(address: str) -> None:
    request = UpscaleRequest(image=FILE, options=UpscaleOptions(model="random"))
    with without_collector(), grpc.insecure_channel(address) as channel:
        with suppress(grpc.RpcError):
            UpscalerServiceStub(channel).Upscale(request)
        assert pictures_left() == 0


def test_a_call_that_was_given_up(client: UpscalerClient) -> None:
    stop = Stop()
    with without_collector():
        with suppress(Stopped):
            client.upscale(FILE, model="x4-fast", stop=stop, progress=lambda *_: stop.set())
        assert pictures_left() == 0
