"""The gRPC service: translates messages to calls of the upscaler and back."""

from time import perf_counter_ns

import grpc
from google.protobuf.duration_pb2 import Duration

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.codec.encode import DEFAULT_QUALITY
from serving.codec.formats import TITLES
from serving.errors import InvalidOption, ResultTooLarge
from serving.messages import FORMAT_OF_NUMBER, NUMBER_OF_FORMAT
from serving.model import Precision
from serving.pipeline.upscaler import ImageInfo, Options, Result, Upscaler
from serving.workers import WorkerPool

NAME = upscaler_pb2.DESCRIPTOR.services_by_name["UpscalerService"].full_name

_PRECISIONS = {
    Precision.FP32: upscaler_pb2.PRECISION_FP32,
    Precision.INT8: upscaler_pb2.PRECISION_INT8,
}


class UpscalerService(upscaler_pb2_grpc.UpscalerServiceServicer):
    """Answers ``upscaler.v1.UpscalerService``.

    Args:
        upscaler: does the work.
        workers: where it is done.
        max_message_mib: size that no response may exceed.
    """

    def __init__(self, upscaler: Upscaler, workers: WorkerPool, max_message_mib: int) -> None:
        self._upscaler = upscaler
        self._workers = workers
        self._max_message_bytes = max_message_mib * 2**20

    async def Upscale(  # noqa: N802
        self,
        request: upscaler_pb2.UpscaleRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> upscaler_pb2.UpscaleResponse:
        """Upscales one image; raises only what :mod:`serving.errors` defines."""
        options = _options(request.options)
        queued = perf_counter_ns()

        def work() -> upscaler_pb2.UpscaleResponse:
            waited = perf_counter_ns() - queued
            return _response(self._upscaler.upscale(request.image, options), waited)

        response = await self._workers.run(work)
        if response.ByteSize() > self._max_message_bytes:
            raise ResultTooLarge(
                "result",
                f"{response.ByteSize()} bytes",
                f"at most {self._max_message_bytes}; choose JPEG or WebP or send a smaller image",
            )
        return response


def _options(message: upscaler_pb2.UpscaleOptions) -> Options:
    format = None
    if message.format != upscaler_pb2.IMAGE_FORMAT_UNSPECIFIED:
        if message.format not in FORMAT_OF_NUMBER:
            raise InvalidOption(
                "options.format", message.format, f"one of {TITLES}, or unspecified"
            )
        format = FORMAT_OF_NUMBER[message.format]
    quality = message.quality if message.HasField("quality") else DEFAULT_QUALITY
    return Options(message.model, format, quality)


def _response(result: Result, waited: int) -> upscaler_pb2.UpscaleResponse:
    return upscaler_pb2.UpscaleResponse(
        image=result.image,
        input=_image_info(result.input),
        output=_image_info(result.output),
        model=upscaler_pb2.Model(
            name=result.model_name,
            scale=result.model.scale,
            precision=_PRECISIONS[result.model.precision],
        ),
        timings=upscaler_pb2.Timings(
            queue=_duration(waited),
            decode=_duration(result.timings.decode),
            upscale=_duration(result.timings.upscale),
            encode=_duration(result.timings.encode),
        ),
    )


def _image_info(info: ImageInfo) -> upscaler_pb2.ImageInfo:
    return upscaler_pb2.ImageInfo(
        format=NUMBER_OF_FORMAT[info.format],
        width=info.width,
        height=info.height,
        channels=info.channels,
        bit_depth=info.bit_depth,
    )


def _duration(nanoseconds: int) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(nanoseconds)
    return duration
