"""Every request that cannot be served gets a code and a sentence, and the server goes on."""

import logging
from collections.abc import Iterator
from typing import cast

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from PIL import Image

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.client import UpscaleFailed, UpscalerClient
from serving.codec.formats import ImageFormat
from tests.serving.files import checker, enlarged, png_header, read, write, write_png
from tests.serving.rpc.details import detail

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(autouse=True)
def still_works(client: UpscalerClient) -> Iterator[None]:
    """After each refusal the same connection upscales as before."""
    yield
    pixels = checker(3)
    assert np.array_equal(read(client.upscale(write_png(pixels)).image), enlarged(pixels))


def refusal(client: UpscalerClient, image: bytes, **options: object) -> UpscaleFailed:
    with pytest.raises(UpscaleFailed) as caught:
        client.upscale(image, **options)  # type: ignore[arg-type]
    return caught.value


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_truncated_files(client: UpscalerClient, format: str, part: float) -> None:
    whole = write(Image.fromarray(NOISE), format)
    error = refusal(client, whole[: int(len(whole) * part)])
    assert error.code == INVALID
    assert error.message.startswith("image is ")
    assert "expected a complete PNG, JPEG, WebP, TIFF, BMP file" in error.message


def test_truncated_16_bit_files(client: UpscalerClient) -> None:
    whole = write_png(checker(3, np.uint16, 40, 40))
    assert refusal(client, whole[: len(whole) // 2]).code == INVALID


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_flood_of_damaged_files(client: UpscalerClient) -> None:
    random = np.random.default_rng(0)
    answers = set()
    for format in ("PNG", "JPEG", "WEBP", "TIFF", "BMP"):
        whole = np.frombuffer(write(Image.fromarray(NOISE), format), np.uint8)
        for _ in range(40):
            damaged = whole.copy()
            damaged[random.integers(0, min(len(whole), 400), 4)] = random.integers(0, 256, 4)
            try:
                client.upscale(damaged.tobytes())
            except UpscaleFailed as error:
                answers.add(error.code)
    assert answers == {INVALID}


def test_no_bytes(client: UpscalerClient) -> None:
    error = refusal(client, b"")
    assert (error.code, error.message[:14]) == (INVALID, "image is empty")


@pytest.mark.parametrize("data", [b"hello", bytes(1000), b"<svg/>", b"GIF89a" + bytes(100)])
def test_other_files(client: UpscalerClient, data: bytes) -> None:
    error = refusal(client, data)
    assert error.code == INVALID
    assert "not readable" in error.message


def test_a_format_that_pillow_knows_but_we_do_not_offer(client: UpscalerClient) -> None:
    assert refusal(client, write(Image.fromarray(NOISE), "GIF")).code == INVALID


def test_no_pixels(client: UpscalerClient) -> None:
    assert refusal(client, png_header(0, 5)).code == INVALID


@pytest.mark.parametrize(("width", "height"), [(1000, 201), (2**31 - 1, 1), (60000, 60000)])
def test_size_is_judged_by_the_header(client: UpscalerClient, width: int, height: int) -> None:
    error = refusal(client, png_header(width, height))
    assert error.code == INVALID
    assert error.message == (
        f"image is {width}x{height} = {width * height} pixels; expected at most 200000"
    )


def test_floating_point_pixels(client: UpscalerClient) -> None:
    error = refusal(client, write(Image.new("F", (4, 4)), "TIFF"))
    assert (error.code, "pixel type F" in error.message) == (INVALID, True)


def test_an_unknown_model(client: UpscalerClient) -> None:
    error = refusal(client, write_png(checker(3)), model="x9")
    assert error.code == grpc.StatusCode.NOT_FOUND
    assert error.message.startswith("model is 'x9'; expected one of: ")
    assert "nearest, random" in error.message


@pytest.mark.parametrize("quality", [-1, 0, 101, 2**31 - 1])
def test_a_quality_out_of_range(client: UpscalerClient, quality: int) -> None:
    error = refusal(client, write_png(checker(3)), quality=quality, format=ImageFormat.JPEG)
    assert error.code == INVALID
    assert error.message == f"options.quality is {quality}; expected 1 to 100"


def test_a_quality_that_no_message_holds(client: UpscalerClient) -> None:
    assert refusal(client, write_png(checker(3)), quality=2**40).code == INVALID


@pytest.mark.parametrize(
    ("field", "allowed"),
    [
        ("format", "PNG, JPEG, WebP, TIFF, BMP"),
        ("priority", "LOW, NORMAL, HIGH"),
        ("compression", "FAST, SMALL"),
    ],
)
def test_an_undefined_number(address: str, field: str, allowed: str) -> None:
    with grpc.insecure_channel(address) as channel:
        request = upscaler_pb2.UpscaleRequest(image=write_png(checker(3)))
        setattr(request.options, field, 77)
        with pytest.raises(grpc.RpcError) as caught:
            upscaler_pb2_grpc.UpscalerServiceStub(channel).Upscale(request)
    error = cast(grpc.Call, caught.value)
    assert error.code() == INVALID
    assert f"options.{field} is 77; expected one of {allowed}" in (error.details() or "")


def test_a_result_that_the_format_cannot_hold(client: UpscalerClient) -> None:
    error = refusal(client, write_png(checker(3, width=5000)), format=ImageFormat.WEBP)
    assert error.code == INVALID
    assert "20000x24" in error.message
    assert "16383 for WebP" in error.message


def test_a_result_that_no_message_holds(address: str) -> None:
    request = upscaler_pb2.UpscaleRequest(image=write_png(checker(3, np.uint16, 400, 400)))
    request.options.format = upscaler_pb2.IMAGE_FORMAT_TIFF
    request.options.model = "random"
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as caught:
        upscaler_pb2_grpc.UpscalerServiceStub(channel).Upscale(request)
    error = cast(grpc.Call, caught.value)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "call UpscaleStream, choose JPEG or WebP" in (error.details() or "")


@pytest.mark.parametrize("size", [(4 << 20) + 1, 100 << 20], ids=["a little", "far"])
def test_a_request_that_no_message_holds(address: str, size: int) -> None:
    request = upscaler_pb2.UpscaleRequest(image=bytes(size))
    options = [("grpc.max_send_message_length", -1)]
    with (
        grpc.insecure_channel(address, options=options) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        upscaler_pb2_grpc.UpscalerServiceStub(channel).Upscale(request)
    assert cast(grpc.Call, caught.value).code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_message_that_is_too_large_is_told_of_streams_and_counted(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    image = bytes((4 << 20) + 1)
    with (
        caplog.at_level(logging.INFO, "serving.calls"),
        grpc.insecure_channel(address) as channel,
    ):
        stub = upscaler_pb2_grpc.UpscalerServiceStub(channel)
        with pytest.raises(grpc.RpcError, match="UpscaleStream takes a file in several") as caught:
            stub.Upscale(upscaler_pb2.UpscaleRequest(image=image))
        assert detail(caught.value, ErrorInfo).reason == "MESSAGE_TOO_LARGE"
        with pytest.raises(grpc.RpcError, match="expected at most 4194304") as caught:
            list(stub.UpscaleStream(iter([upscaler_pb2.UpscaleStreamRequest(chunk=image)])))
        assert detail(caught.value, ErrorInfo).reason == "MESSAGE_TOO_LARGE"
    assert [record.fields["reason"] for record in caplog.records] == 2 * ["MESSAGE_TOO_LARGE"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", ["/upscaler.v1.UpscalerService/Nonsense", "/made.up/Call"])
def test_a_method_that_does_not_exist(
    address: str, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    with (
        caplog.at_level(logging.INFO, "serving.calls"),
        grpc.insecure_channel(address) as channel,
        pytest.raises(grpc.RpcError, match=f"method is {method}") as caught,
    ):
        channel.unary_unary(method, None, None)(b"")
    assert cast(grpc.Call, caught.value).code() == grpc.StatusCode.UNIMPLEMENTED
    assert detail(caught.value, ErrorInfo).reason == "UNKNOWN_METHOD"
    assert [record.fields["reason"] for record in caplog.records] == ["UNKNOWN_METHOD"]  # type: ignore[attr-defined]


def test_bytes_that_are_no_message(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary("/upscaler.v1.UpscalerService/Upscale", None, None)
        with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
            call(b"\xff\xff\xff")
