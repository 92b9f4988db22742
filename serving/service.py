"""The gRPC service: translates messages to calls of the upscaler and back."""

from collections.abc import Iterator
from dataclasses import fields
from io import BytesIO
from time import perf_counter_ns

import grpc
from google.protobuf.duration_pb2 import Duration

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.codec.encode import DEFAULT_QUALITY
from serving.codec.formats import TITLES
from serving.errors import InvalidOption, ResultTooLarge
from serving.messages import FORMAT_OF_NUMBER, NUMBER_OF_FORMAT
from serving.model import Precision
from serving.pipeline.size import SizeOptions
from serving.pipeline.upscaler import ImageInfo, Options, Upscaler, Upscaling
from serving.workers import WorkerPool

NAME = upscaler_pb2.DESCRIPTOR.services_by_name["UpscalerService"].full_name

# What a response holds beside the image takes a fraction of this.
_RESPONSE_OVERHEAD = 1 << 12

_PRECISIONS = {
    Precision.FP32: upscaler_pb2.PRECISION_FP32,
    Precision.FP16: upscaler_pb2.PRECISION_UNSPECIFIED,
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
            upscaling = self._upscaler.upscale(request.image, options)
            image = self._collect(upscaling.chunks)
            return _response(image, upscaling, waited)

        return await self._workers.run(work)

    def _collect(self, chunks: Iterator[bytes]) -> bytes:
        """The whole file, or a refusal as soon as it is too large to be sent."""
        file = BytesIO()
        for chunk in chunks:
            file.write(chunk)
            if file.tell() + _RESPONSE_OVERHEAD > self._max_message_bytes:
                raise ResultTooLarge(
                    "result",
                    "larger than a message",
                    f"at most {self._max_message_bytes} bytes; choose JPEG or WebP, "
                    "or ask for a smaller size",
                )
        return file.getvalue()


def _options(message: upscaler_pb2.UpscaleOptions) -> Options:
    format = None
    if message.format != upscaler_pb2.IMAGE_FORMAT_UNSPECIFIED:
        if message.format not in FORMAT_OF_NUMBER:
            raise InvalidOption(
                "options.format", message.format, f"one of {TITLES}, or unspecified"
            )
        format = FORMAT_OF_NUMBER[message.format]
    quality = message.quality if message.HasField("quality") else DEFAULT_QUALITY
    return Options(message.model, format, quality, _size(message))


def _size(message: upscaler_pb2.UpscaleOptions) -> SizeOptions:
    given = {number.name for number, _ in message.ListFields()}
    names = [field.name for field in fields(SizeOptions)]
    return SizeOptions(**{name: getattr(message, name) for name in names if name in given})


def _response(image: bytes, result: Upscaling, waited: int) -> upscaler_pb2.UpscaleResponse:
    return upscaler_pb2.UpscaleResponse(
        image=image,
        input=_image_info(result.input),
        output=_image_info(result.output),
        model=upscaler_pb2.Model(
            name=result.model_name,
            scale=result.model.scale,
            precision=_PRECISIONS[result.model.precision],
        ),
        timings=upscaler_pb2.Timings(
            queue=_duration(waited),
            decode=_duration(result.stages.total("decode")),
            upscale=_duration(result.stages.total("upscale") + result.stages.total("resize")),
            encode=_duration(result.stages.total("encode")),
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
