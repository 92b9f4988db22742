"""Between the public interface's messages and the domain's values."""

from dataclasses import fields
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration

from protos.upscaler.v1 import upscaler_pb2
from serving.cards import Card
from serving.codec.formats import DEFAULT_QUALITY, TITLES, Compression, ImageFormat
from serving.errors import InvalidOption
from serving.model import ModelInfo, Precision
from serving.pipeline.size import SizeOptions
from serving.pipeline.upscaler import ImageInfo, Options, Upscaling
from serving.priority import Priority
from serving.rpc.numbers import FORMAT_OF_NUMBER, NUMBER_OF_FORMAT
from serving.stages import Stages

Named = TypeVar("Named", Compression, Priority)

_PRECISIONS = {
    Precision.FP32: upscaler_pb2.PRECISION_FP32,
    Precision.FP16: upscaler_pb2.PRECISION_FP16,
    Precision.INT8: upscaler_pb2.PRECISION_INT8,
}


def options_of(message: upscaler_pb2.UpscaleOptions) -> Options:
    """What the caller chose.

    Raises:
        InvalidOption: a value is out of its range.
    """
    return Options(
        message.model,
        _format(message),
        message.quality if message.HasField("quality") else DEFAULT_QUALITY,
        _named("compression", message.compression, Compression) or Compression.FAST,
        _size(message),
        _named("priority", message.priority, Priority) or Priority.NORMAL,
    )


def _format(message: upscaler_pb2.UpscaleOptions) -> ImageFormat | None:
    if message.format == upscaler_pb2.IMAGE_FORMAT_UNSPECIFIED:
        return None
    if message.format not in FORMAT_OF_NUMBER:
        raise InvalidOption("options.format", message.format, f"one of {TITLES}, or unspecified")
    return FORMAT_OF_NUMBER[message.format]


def _named(option: str, number: int, kind: type[Named]) -> Named | None:
    """A value whose numbers are those of the interface; None where it is unspecified."""
    if not number:
        return None
    try:
        return kind(number)
    except ValueError:
        names = ", ".join(each.name for each in kind)
        raise InvalidOption(
            f"options.{option}", number, f"one of {names}, or unspecified"
        ) from None


def _size(message: upscaler_pb2.UpscaleOptions) -> SizeOptions:
    given = {number.name for number, _ in message.ListFields()}
    names = [field.name for field in fields(SizeOptions)]
    return SizeOptions(**{name: getattr(message, name) for name in names if name in given})


def started(upscaling: Upscaling) -> upscaler_pb2.UpscaleStreamResponse:
    """What a stream tells first."""
    return upscaler_pb2.UpscaleStreamResponse(
        started=upscaler_pb2.UpscaleStarted(
            input=_image_info(upscaling.input),
            output=_image_info(upscaling.output),
            model=model(upscaling.model_name, upscaling.model),
        )
    )


def progress(rows_done: int, rows: int) -> upscaler_pb2.UpscaleStreamResponse:
    """What a stream tells when rows are computed."""
    return upscaler_pb2.UpscaleStreamResponse(
        progress=upscaler_pb2.UpscaleProgress(rows_done=rows_done, rows=rows)
    )


def finished(stages: Stages) -> upscaler_pb2.UpscaleStreamResponse:
    """What a stream tells last."""
    timings = upscaler_pb2.Timings(
        queue=_duration(stages.total("queue")),
        decode=_duration(stages.total("decode")),
        upscale=_duration(stages.total("upscale") + stages.total("resize")),
        encode=_duration(stages.total("encode")),
    )
    return upscaler_pb2.UpscaleStreamResponse(
        finished=upscaler_pb2.UpscaleFinished(timings=timings)
    )


def model(name: str, info: ModelInfo) -> upscaler_pb2.Model:
    """A model in short."""
    return upscaler_pb2.Model(name=name, scale=info.scale, precision=_PRECISIONS[info.precision])


def model_in_full(name: str, info: ModelInfo, card: Card) -> upscaler_pb2.GetModelResponse:
    """All that is known of a model."""
    return upscaler_pb2.GetModelResponse(
        model=model(name, info),
        halo=info.halo,
        license=info.license,
        sha256=card.sha256,
        size_bytes=card.size_bytes,
        metrics=[
            upscaler_pb2.ModelMetric(dataset=dataset, name=metric, value=value)
            for (dataset, metric), value in card.metrics.items()
        ],
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
