"""The client for programs with asyncio."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar, Unpack

import grpc

from protos.upscaler.v1 import upscaler_pb2
from serving.client.connection import ClientTls
from serving.client.exchange import Choices, Progress, Sink
from serving.client.failure import UpscaleFailed
from serving.client.retry import RetryPolicy
from serving.client.sync import UpscalerClient
from serving.stop import Stop

Result = TypeVar("Result")


class AsyncUpscalerClient:
    """As :class:`~serving.client.UpscalerClient`, for ``async with`` and ``await``.

    Each call takes a thread while it lasts: grpc.aio would report a file that the server refuses
    while it is being sent as an internal error (1.85). A task that is cancelled cancels its call.

    Args:
        address: ``host:port``.
        retry: when a call that failed is tried again.
        tls: how to encrypt; None does not.
        token: to show to the server, if it asks for one.
        max_calls: calls at a time; further ones wait, which counts for their timeouts.
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
        max_calls: int = 64,
        direct: bool = False,
    ) -> None:
        self._client = UpscalerClient(address, retry, tls=tls, token=token, direct=direct)
        self._threads = ThreadPoolExecutor(max_calls, thread_name_prefix="upscaler-client")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.__exit__(kind, error, traceback)
        self._threads.shutdown(wait=False)

    async def upscale(
        self,
        image: bytes | Path,
        *,
        progress: Progress | None = None,
        timeout_s: float = 600.0,
        **choices: Unpack[Choices],
    ) -> upscaler_pb2.UpscaleResponse:
        """Upscales an image file; `progress` is called in a thread.

        Raises:
            UpscaleFailed: the server refused, failed, did not answer in time or is not there.
            OSError: the file cannot be read.
        """
        upscale = partial(self._client.upscale, **choices)
        return await self._run(upscale, image, progress=progress, timeout_s=timeout_s)

    async def upscale_into(
        self,
        sink: Sink,
        image: bytes | Path,
        *,
        progress: Progress | None = None,
        timeout_s: float = 600.0,
        **choices: Unpack[Choices],
    ) -> upscaler_pb2.UpscaleResponse:
        """As :meth:`upscale`; a thread writes the result to `sink` as it comes."""
        upscale = partial(self._client.upscale_into, **choices)
        return await self._run(upscale, sink, image, progress=progress, timeout_s=timeout_s)

    async def models(self, timeout_s: float = 60.0) -> upscaler_pb2.ListModelsResponse:
        """Which models there are.

        Raises:
            UpscaleFailed: as for :meth:`upscale`.
        """
        return await self._run(self._client.models, timeout_s=timeout_s)

    async def model(self, name: str = "", timeout_s: float = 60.0) -> upscaler_pb2.GetModelResponse:
        """What is known of a model; empty names the default.

        Raises:
            UpscaleFailed: as for :meth:`upscale`.
        """
        return await self._run(self._client.model, name, timeout_s=timeout_s)

    async def _run(
        self, method: Callable[..., Result], *given: object, timeout_s: float, **options: object
    ) -> Result:
        stop = Stop()
        end = monotonic() + timeout_s

        def work() -> Result:
            return method(*given, timeout_s=end - monotonic(), stop=stop, **options)

        call = self._threads.submit(work)
        result = asyncio.wrap_future(call)
        try:
            await asyncio.wait([result], timeout=timeout_s)
            if call.cancel():  # No thread has begun it.
                raise UpscaleFailed(
                    grpc.StatusCode.DEADLINE_EXCEEDED, "other calls have taken all threads"
                )
            return await result
        finally:
            result.cancel()
            stop.set()
