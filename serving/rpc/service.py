"""The handlers of ``upscaler.v1.UpscalerService``: they raise :mod:`serving.errors`."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, closing, contextmanager
from dataclasses import replace
from functools import partial

import grpc

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.errors import InvalidModel, ResultTooLarge, UnusableModel
from serving.load.budget import Budget
from serving.load.limits import Limits
from serving.load.queue import PixelQueue
from serving.load.threads import Put, Threads
from serving.observe.metrics import Metrics
from serving.pipeline.upscaler import ImageInfo, Options, Upscaler, Upscaling
from serving.rpc import messages
from serving.rpc.call import Call, current_call
from serving.rpc.chunks import Upload, split
from serving.stop import Stop

NAME = upscaler_pb2.DESCRIPTOR.services_by_name["UpscalerService"].full_name

_MIB = 1 << 20
_STAGES = ("queue", "decode", "upscale", "resize", "encode")
# What a response holds beside the image takes a fraction of this.
_RESPONSE_OVERHEAD = 1 << 12

_log = logging.getLogger(__name__)

Piece = upscaler_pb2.UpscaleStreamResponse


class UpscalerService(upscaler_pb2_grpc.UpscalerServiceServicer):
    """Answers ``upscaler.v1.UpscalerService``.

    Args:
        upscaler: does the work.
        queue: where requests wait.
        threads: where they are worked at.
        limits: what they may take.
        metrics: where they are counted.
    """

    def __init__(
        self,
        upscaler: Upscaler,
        queue: PixelQueue,
        threads: Threads,
        limits: Limits,
        metrics: Metrics,
    ) -> None:
        self._upscaler = upscaler
        self._queue = queue
        self._threads = threads
        self._metrics = metrics
        self._limits = limits
        self._memory = Budget("server", "bytes of files", limits.max_files_mib * _MIB)

    async def Upscale(  # noqa: N802
        self,
        request: upscaler_pb2.UpscaleRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> upscaler_pb2.UpscaleResponse:
        """Upscales one image; the answer is that of a stream, gathered into one message."""
        options = messages.options_of(request.options)
        with self._memory.lent(len(request.image)):
            async with aclosing(self._pieces(request.image, options)) as pieces:
                return await self._gathered(pieces)

    async def UpscaleStream(  # noqa: N802
        self,
        request_iterator: AsyncIterator[upscaler_pb2.UpscaleStreamRequest],
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> AsyncGenerator[Piece, None]:
        """Upscales one image, whose file comes and goes piece by piece."""
        with closing(self._upload()) as upload:
            options, file = await upload.receive(request_iterator)
            async with aclosing(self._pieces(file, options)) as pieces:
                async for piece in pieces:
                    yield piece

    async def ListModels(  # noqa: N802
        self,
        request: upscaler_pb2.ListModelsRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> upscaler_pb2.ListModelsResponse:
        """Tells which models there are."""
        return await self._threads.call(self._list_models)

    async def GetModel(  # noqa: N802
        self,
        request: upscaler_pb2.GetModelRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> upscaler_pb2.GetModelResponse:
        """Tells what is known of one model."""
        return await self._threads.call(partial(self._get_model, request.name))

    async def _pieces(self, file: bytes, options: Options) -> AsyncGenerator[Piece, None]:
        stop, call = Stop(), current_call.get()
        priority = min(options.priority, call.top_priority)
        options = replace(options, priority=priority)
        with _usable(options.model):
            # It may have to wait for a model to be opened.
            prepare = partial(self._upscaler.upscale, file, options, stop)
            upscaling = await self._threads.call(prepare)
        _note(call, upscaling)
        async with AsyncExitStack() as stack:
            with upscaling.stages.measure("queue"):
                place = self._queue.place(upscaling.cost, call.client, priority)
                await stack.enter_async_context(place)
            work = partial(_work, upscaling)
            async with aclosing(self._threads.produce(work, stop)) as pieces:
                async for piece in pieces:
                    yield piece
        self._count(upscaling)

    def _count(self, upscaling: Upscaling) -> None:
        given, made = (side.width * side.height for side in (upscaling.input, upscaling.output))
        seconds = {name: upscaling.stages.total(name) / 1e9 for name in _STAGES}
        self._metrics.count_picture(upscaling.model_name, given, made, seconds)

    async def _gathered(self, pieces: AsyncIterator[Piece]) -> upscaler_pb2.UpscaleResponse:
        response = upscaler_pb2.UpscaleResponse()
        chunks: list[bytes] = []
        size = 0
        async for piece in pieces:
            match piece.WhichOneof("part"):
                case "started":
                    response.input.CopyFrom(piece.started.input)
                    response.output.CopyFrom(piece.started.output)
                    response.model.CopyFrom(piece.started.model)
                case "chunk":
                    chunks.append(piece.chunk)
                    size += len(chunks[-1])
                    self._check_room(size)
                case "finished":
                    response.timings.CopyFrom(piece.finished.timings)
        response.image = b"".join(chunks)
        return response

    def _upload(self) -> Upload:
        limits = self._limits
        return Upload(limits.max_file_mib * _MIB, limits.max_input_pixels, self._memory)

    def _check_room(self, size: int) -> None:
        """Refuses a result as soon as it is too large to be sent."""
        most = self._limits.max_message_mib * _MIB
        if size + _RESPONSE_OVERHEAD > most:
            raise ResultTooLarge(
                "result",
                "larger than a message",
                f"at most {most} bytes; call UpscaleStream, choose JPEG or "
                "WebP, or ask for a smaller size",
            )

    def _list_models(self) -> upscaler_pb2.ListModelsResponse:
        catalog = self._upscaler.catalog
        models = []
        for name in catalog.names:
            try:
                models.append(messages.model(name, catalog.known(name).info))
            except InvalidModel as error:
                _log.warning("not listed: %s", error)
        return upscaler_pb2.ListModelsResponse(models=models, default_model=catalog.default)

    def _get_model(self, name: str) -> upscaler_pb2.GetModelResponse:
        catalog = self._upscaler.catalog
        name = catalog.resolve(name)
        with _usable(name):
            known = catalog.known(name)
        return messages.model_in_full(name, known.info, known.card)


@contextmanager
def _usable(name: str) -> Iterator[None]:
    """Tells the log what is wrong with a model's file, and the caller that something is.

    Raises:
        UnusableModel: the file cannot be served.
    """
    try:
        yield
    except InvalidModel as error:
        _log.error("%s", error)
        raise UnusableModel(
            "model", repr(name or "default"), "another one; what is wrong is in the server's log"
        ) from error


def _work(upscaling: Upscaling, put: Put[Piece]) -> None:
    """Puts the pieces of an answer, as they are computed."""

    def tell(rows_done: int, rows: int) -> None:
        put(messages.progress(rows_done, rows))

    put(messages.started(upscaling))
    for chunk in split(upscaling.chunks(tell)):
        put(Piece(chunk=chunk))
    put(messages.finished(upscaling.stages))


def _note(call: Call, upscaling: Upscaling) -> None:
    """Tells of what kind the call's picture is, but not what it shows, and where the time goes."""
    call.stages = upscaling.stages
    call.notes |= {
        "model": upscaling.model_name,
        "input": _kind(upscaling.input),
        "output": _kind(upscaling.output),
    }


def _kind(info: ImageInfo) -> str:
    return f"{info.format.value.title} {info.width}x{info.height}x{info.channels}"
