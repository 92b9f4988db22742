"""UpscaleStream: files of any size go in and come out in pieces."""

from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.load.limits import Limits
from tests.serving.files import (
    checker,
    enlarged,
    png_header,
    read_png,
    read_tiff,
    write_png,
    write_tiff,
)
from tests.serving.rpc.details import detail

Request = upscaler_pb2.UpscaleStreamRequest
Options = upscaler_pb2.UpscaleOptions


@pytest.fixture(scope="module")
def stub(address: str) -> Iterator[upscaler_pb2_grpc.UpscalerServiceStub]:
    with grpc.insecure_channel(address) as channel:
        yield upscaler_pb2_grpc.UpscalerServiceStub(channel)


def requests(file: bytes, size: int, options: Options | None = None) -> Iterator[Request]:
    if options is not None:
        yield Request(options=options)
    for start in range(0, len(file), size):
        yield Request(chunk=file[start : start + size])


def test_the_result_is_that_of_one_message(stub: upscaler_pb2_grpc.UpscalerServiceStub) -> None:
    pieces = list(stub.UpscaleStream(requests(write_png(checker(3)), 10)))
    kinds = [piece.WhichOneof("part") for piece in pieces]
    assert kinds[0] == "started"
    assert kinds[-1] == "finished"
    file = b"".join(piece.chunk for piece in pieces)
    assert np.array_equal(read_png(file), enlarged(checker(3)))
    started = pieces[0].started
    assert (started.input.width, started.output.width, started.model.name) == (9, 36, "nearest")
    assert pieces[-1].finished.timings.decode.ToNanoseconds() > 0


def test_no_message_needs_to_hold_the_result(stub: upscaler_pb2_grpc.UpscalerServiceStub) -> None:
    """Larger than the server's largest message, through a client with gRPC's own limit of 4 MiB."""
    pixels = checker(3, np.uint16, 400, 400)
    options = Options(model="random", format=upscaler_pb2.IMAGE_FORMAT_TIFF)
    pieces = list(stub.UpscaleStream(requests(write_tiff(pixels), 1 << 20, options)))
    file = b"".join(piece.chunk for piece in pieces)
    assert len(file) > 5 << 20
    assert max(len(piece.chunk) for piece in pieces) == 1 << 20
    assert read_tiff(file).shape == (1600, 1600, 3)


def test_progress_grows_up_to_all_rows(stub: upscaler_pb2_grpc.UpscalerServiceStub) -> None:
    pieces = stub.UpscaleStream(requests(write_png(checker(3, height=200)), 1 << 20))
    told = [piece.progress for piece in pieces if piece.WhichOneof("part") == "progress"]
    rows = [progress.rows_done for progress in told]
    assert len(rows) > 3
    assert rows == sorted(rows)
    assert (rows[-1], {progress.rows for progress in told}) == (800, {800})


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([], "image is empty"),
        ([Request()], "part is empty; expected options in the first message only"),
        ([Request(chunk=b"")], "chunk is empty"),
        ([Request(options=Options())] * 2, "options is in a later message"),
        ([Request(chunk=b"a"), Request(options=Options())], "options is in a later message"),
        ([Request(options=Options(scale=20))], "options.scale is 20"),
    ],
)
def test_messages_out_of_order_are_refused(
    stub: upscaler_pb2_grpc.UpscalerServiceStub, messages: list[Request], sentence: str
) -> None:
    with pytest.raises(grpc.RpcError, match=sentence) as caught:
        list(stub.UpscaleStream(iter(messages)))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_an_image_with_too_many_pixels_is_refused_while_it_comes(
    stub: upscaler_pb2_grpc.UpscalerServiceStub,
) -> None:
    def endless() -> Iterator[Request]:
        yield Request(chunk=png_header(60_000, 60_000))
        while True:
            yield Request(chunk=bytes(1000))

    with pytest.raises(grpc.RpcError, match="image is 60000x60000 = 3600000000 pixels") as caught:
        list(stub.UpscaleStream(endless()))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_file_larger_than_allowed_is_refused_while_it_comes() -> None:
    config = ServerConfig(port=0, limits=Limits(max_file_mib=1))
    with embedded_server(config) as address, grpc.insecure_channel(address) as channel:
        stub = upscaler_pb2_grpc.UpscalerServiceStub(channel)

        def endless() -> Iterator[Request]:
            while True:
                yield Request(chunk=bytes(1 << 19))

        with pytest.raises(grpc.RpcError, match="image is more than 1048576 bytes") as caught:
            list(stub.UpscaleStream(endless()))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert detail(caught.value, ErrorInfo).reason == "FILE_TOO_LARGE"
