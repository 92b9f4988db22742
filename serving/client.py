"""Calls the service from Python."""

from pathlib import Path
from types import TracebackType
from typing import Self, cast

import grpc

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.codec.formats import ImageFormat
from serving.rpc.channel import DEFAULT_MESSAGE_MIB, message_options
from serving.rpc.numbers import NUMBER_OF_FORMAT


class UpscaleFailed(Exception):
    """A call did not succeed.

    Attributes:
        code: the gRPC status code.
        message: a sentence for people, usually the server's.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message


class UpscalerClient:
    """A connection to a server, closed at the end of its ``with`` block; threads may share it.

    Example:
        >>> with UpscalerClient("localhost:50051") as client:  # doctest: +SKIP
        ...     response = client.upscale(Path("photo.jpg"), quality=90)

    Args:
        address: ``host:port``.
        max_message_mib: largest request and response in MiB, up to 2047.
    """

    def __init__(self, address: str, max_message_mib: int = DEFAULT_MESSAGE_MIB) -> None:
        options = message_options(max_message_mib)
        self._channel = grpc.insecure_channel(address, options=options)
        self._stub = upscaler_pb2_grpc.UpscalerServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._channel.close()

    def upscale(
        self,
        image: bytes | Path,
        *,
        model: str = "",
        format: ImageFormat | None = None,
        quality: int | None = None,
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        max_width: int | None = None,
        max_height: int | None = None,
        timeout_s: float = 600.0,
    ) -> upscaler_pb2.UpscaleResponse:
        """Upscales an image file, given as its content or its path.

        Args:
            image: a PNG, JPEG, WebP, TIFF or BMP file.
            model: name of a model; empty for the server's default.
            format: of the result; None for that of the input.
            quality: 1 to 100, for JPEG and WebP; None for the server's default.
            scale: factor of each side, 1 to 16; None for the model's own.
            width: of the result in pixels; alone it keeps proportions; not beside `scale`.
            height: likewise.
            max_width: the result is made smaller, in proportion, where it would be wider.
            max_height: or higher.
            timeout_s: seconds after which the call is given up.

        Raises:
            UpscaleFailed: the server refused, failed, did not answer in time or is not there.
            OSError: the file cannot be read.
        """
        content = image if isinstance(image, bytes) else image.read_bytes()
        try:
            options = upscaler_pb2.UpscaleOptions(
                model=model,
                format=(
                    NUMBER_OF_FORMAT[format] if format else upscaler_pb2.IMAGE_FORMAT_UNSPECIFIED
                ),
                quality=quality,
                scale=scale,
                width=width,
                height=height,
                max_width=max_width,
                max_height=max_height,
            )
        except ValueError as error:
            raise UpscaleFailed(
                grpc.StatusCode.INVALID_ARGUMENT, f"options do not fit the request: {error}"
            ) from error
        request = upscaler_pb2.UpscaleRequest(image=content, options=options)
        try:
            return self._stub.Upscale(request, timeout=timeout_s)
        except grpc.RpcError as error:
            call = cast(grpc.Call, error)
            raise UpscaleFailed(call.code(), call.details() or "no details") from error
