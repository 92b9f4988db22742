"""The handlers of ``upscaler.v1.UpscalerService``: they raise :mod:`serving.errors`."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from io import BytesIO
from time import perf_counter_ns

import grpc

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.cards import read_card
from serving.errors import InvalidModel, ResultTooLarge
from serving.pipeline.upscaler import Options, Upscaler
from serving.rpc import messages
from serving.rpc.chunks import receive, split
from serving.stop import Stop
from serving.workers import WorkerPool

NAME = upscaler_pb2.DESCRIPTOR.services_by_name["UpscalerService"].full_name

# What a response holds beside the image takes a fraction of this.
_RESPONSE_OVERHEAD = 1 << 12

_log = logging.getLogger(__name__)

Piece = upscaler_pb2.UpscaleStreamResponse


class UpscalerService(upscaler_pb2_grpc.UpscalerServiceServicer):
    """Answers ``upscaler.v1.UpscalerService``.

    Args:
        upscaler: does the work.
        workers: where it is done.
        max_message_bytes: size that no response may exceed.
        max_file_bytes: size that no streamed image file may exceed.
    """

    def __init__(
        self, upscaler: Upscaler, workers: WorkerPool, max_message_bytes: int, max_file_bytes: int
    ) -> None:
        self._upscaler = upscaler
        self._workers = workers
        self._max_message_bytes = max_message_bytes
        self._max_file_bytes = max_file_bytes

    async def Upscale(  # noqa: N802
        self,
        request: upscaler_pb2.UpscaleRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> upscaler_pb2.UpscaleResponse:
        """Upscales one image; the answer is that of a stream, gathered into one message."""
        response = upscaler_pb2.UpscaleResponse()
        file = BytesIO()
        options = messages.options_of(request.options)
        async with aclosing(self._pieces(request.image, options)) as pieces:
            async for piece in pieces:
                match piece.WhichOneof("part"):
                    case "started":
                        response.input.CopyFrom(piece.started.input)
                        response.output.CopyFrom(piece.started.output)
                        response.model.CopyFrom(piece.started.model)
                    case "chunk":
                        self._check_room(file.tell() + len(piece.chunk))
                        file.write(piece.chunk)
                    case "finished":
                        response.timings.CopyFrom(piece.finished.timings)
        response.image = file.getvalue()
        return response

    async def UpscaleStream(  # noqa: N802
        self,
        request_iterator: AsyncIterator[upscaler_pb2.UpscaleStreamRequest],
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> AsyncGenerator[Piece, None]:
        """Upscales one image, whose file comes and goes piece by piece."""
        options, file = await receive(request_iterator, self._max_file_bytes)
        async with aclosing(self._pieces(file, options)) as pieces:
            async for piece in pieces:
                yield piece

    async def ListModels(  # noqa: N802
        self,
        request: upscaler_pb2.ListModelsRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> upscaler_pb2.ListModelsResponse:
        """Tells which models there are."""
        return await asyncio.to_thread(self._list_models)

    async def GetModel(  # noqa: N802
        self,
        request: upscaler_pb2.GetModelRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> upscaler_pb2.GetModelResponse:
        """Tells what is known of one model."""
        return await asyncio.to_thread(self._get_model, request.name)

    async def _pieces(self, file: bytes, options: Options) -> AsyncGenerator[Piece, None]:
        stop = Stop()
        queued = perf_counter_ns()

        def work(put: Callable[[Piece], None]) -> None:
            waited = perf_counter_ns() - queued

            def tell(rows_done: int, rows: int) -> None:
                put(messages.progress(rows_done, rows))

            upscaling = self._upscaler.upscale(file, options, stop)
            put(messages.started(upscaling))
            for chunk in split(upscaling.chunks(tell)):
                put(Piece(chunk=chunk))
            put(messages.finished(waited, upscaling.stages))

        async with aclosing(self._workers.produce(work, stop)) as pieces:
            async for piece in pieces:
                yield piece

    def _check_room(self, size: int) -> None:
        """Refuses a result as soon as it is too large to be sent."""
        if size + _RESPONSE_OVERHEAD > self._max_message_bytes:
            raise ResultTooLarge(
                "result",
                "larger than a message",
                f"at most {self._max_message_bytes} bytes; call UpscaleStream, choose JPEG or "
                "WebP, or ask for a smaller size",
            )

    def _list_models(self) -> upscaler_pb2.ListModelsResponse:
        catalog = self._upscaler.catalog
        models = []
        for name in catalog.names:
            try:
                models.append(messages.model(name, catalog.load(name).info))
            except InvalidModel as error:
                _log.warning("not listed: %s", error)
        return upscaler_pb2.ListModelsResponse(models=models, default_model=catalog.resolve())

    def _get_model(self, name: str) -> upscaler_pb2.GetModelResponse:
        catalog = self._upscaler.catalog
        name = catalog.resolve(name)
        return messages.model_in_full(name, catalog.load(name).info, read_card(catalog.path(name)))
