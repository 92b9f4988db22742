"""The client for programs with threads."""

from collections.abc import Callable
from concurrent.futures import Future
from io import BytesIO
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, cast

import grpc

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.client.connection import ClientTls, bearer, open_channel
from serving.client.exchange import (
    Answer,
    Choices,
    Progress,
    Sink,
    options_of,
    requests,
)
from serving.client.failure import UpscaleFailed
from serving.client.retry import RetryPolicy
from serving.stop import Stop

Result = TypeVar("Result")


# A year. gRPC takes some 300 years and more for over already.
_LONGEST_S = 365 * 86_400.0


class UpscalerClient:
    """A connection to a server, closed at the end of its ``with`` block; threads may share it.

    Examples:
        >>> with UpscalerClient("localhost:50051") as client:  # doctest: +SKIP
        ...     response = client.upscale(Path("photo.jpg"), quality=90)

    Args:
        address: ``host:port``.
        retry: when a call that failed is tried again.
        tls: how to encrypt; None does not.
        token: to show to the server, if it asks for one.
        direct: past the proxy that the environment may name, as for servers on this machine.

    Raises:
        InvalidConfig: a file of `tls` is not what it should be, or `token` cannot be sent.
        OSError: a file of `tls` cannot be read.
    """

    def __init__(
        self,
        address: str,
        retry: RetryPolicy | None = None,
        *,
        tls: ClientTls | None = None,
        token: str = "",
        direct: bool = False,
    ) -> None:
        self._retry = retry or RetryPolicy()
        self._metadata = bearer(token)
        self._channel = open_channel(address, tls, direct=direct)
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
        progress: Progress | None = None,
        timeout_s: float = 600.0,
        stop: Stop | None = None,
        **choices: Unpack[Choices],
    ) -> upscaler_pb2.UpscaleResponse:
        """Upscales an image file, given as its content or its path.

        Args:
            image: a PNG, JPEG, WebP, TIFF or BMP file.
            progress: called with the rows of the result that are computed, and with all.
            timeout_s: seconds after which the call is given up, new tries included.
            stop: ends the call by :class:`~serving.stop.Stopped` when another thread sets it.
            choices: what :class:`~serving.client.exchange.Choices` has.

        Raises:
            UpscaleFailed: the server refused, failed, did not answer in time or is not there.
            OSError: the file cannot be read.
        """
        file = BytesIO()
        response = self.upscale_into(
            file, image, progress=progress, timeout_s=timeout_s, stop=stop, **choices
        )
        response.image = file.getvalue()
        return response

    def upscale_into(
        self,
        sink: Sink,
        image: bytes | Path,
        *,
        progress: Progress | None = None,
        timeout_s: float = 600.0,
        stop: Stop | None = None,
        **choices: Unpack[Choices],
    ) -> upscaler_pb2.UpscaleResponse:
        """As :meth:`upscale`, for files of any size: the result is written to `sink` as it comes.

        A failure may leave a part of it there. The response has no image.
        """
        options = options_of(choices)
        stop = stop or Stop()

        def attempt(left_s: float) -> upscaler_pb2.UpscaleResponse:
            answer = Answer(sink, progress)
            reading: Future[None] = Future()  # It is done where the file cannot be read.
            call: Any = self._stub.UpscaleStream(
                requests(options, image, reading.set_exception),
                timeout=left_s,
                metadata=self._metadata,
            )
            reading.add_done_callback(lambda _: call.cancel())
            try:
                with stop.interrupting(call.cancel):
                    for piece in call:
                        answer.add(piece)
            except grpc.RpcError as error:
                if failure := reading.done() and reading.exception():
                    raise failure from None
                raise UpscaleFailed.of(cast(grpc.Call, error), answer.begun) from error
            finally:
                call.cancel()
            return answer.response

        return self._tried(attempt, timeout_s, stop)

    def models(
        self, timeout_s: float = 60.0, stop: Stop | None = None
    ) -> upscaler_pb2.ListModelsResponse:
        """Which models there are.

        Raises:
            UpscaleFailed: as for :meth:`upscale`.
        """
        request = upscaler_pb2.ListModelsRequest()
        response: upscaler_pb2.ListModelsResponse = self._asked(
            self._stub.ListModels, request, timeout_s, stop
        )
        return response

    def model(
        self, name: str = "", timeout_s: float = 60.0, stop: Stop | None = None
    ) -> upscaler_pb2.GetModelResponse:
        """What is known of a model; empty names the default.

        Raises:
            UpscaleFailed: as for :meth:`upscale`.
        """
        request = upscaler_pb2.GetModelRequest(name=name)
        response: upscaler_pb2.GetModelResponse = self._asked(
            self._stub.GetModel, request, timeout_s, stop
        )
        return response

    def _asked(self, method: Any, request: Any, timeout_s: float, stop: Stop | None) -> Any:
        stop = stop or Stop()

        def attempt(left_s: float) -> Any:
            call = method.future(request, timeout=left_s, metadata=self._metadata)
            try:
                with stop.interrupting(call.cancel):
                    return call.result()
            except grpc.RpcError as error:
                raise UpscaleFailed.of(cast(grpc.Call, error)) from error

        return self._tried(attempt, timeout_s, stop)

    def _tried(self, attempt: Callable[[float], Result], timeout_s: float, stop: Stop) -> Result:
        end = monotonic() + timeout_s
        failed = 0
        while True:
            try:
                return attempt(min(max(0.0, end - monotonic()), _LONGEST_S))
            except UpscaleFailed as failure:
                failed += 1
                wait = self._retry.wait_s(failure, failed)
                if wait is None or monotonic() + wait >= end:
                    raise
            stop.sleep(wait)
