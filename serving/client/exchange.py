"""What both clients send, and what they make of the answer."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Protocol, TypedDict

import grpc

from protos.upscaler.v1 import upscaler_pb2
from serving.client.failure import UpscaleFailed
from serving.codec.formats import Compression, ImageFormat
from serving.priority import Priority
from serving.rpc.channel import CHUNK_BYTES
from serving.rpc.numbers import NUMBER_OF_FORMAT

# Called with the rows of the result that are computed, and with all that it will have.
Progress = Callable[[int, int], None]
Request = upscaler_pb2.UpscaleStreamRequest


class Choices(TypedDict, total=False):
    """What a caller may choose; what is not given is left to the server.

    Attributes:
        model: name of a model.
        format: of the result; by default that of the input.
        quality: 1 to 100, for JPEG and WebP.
        compression: how hard PNG and TIFF are compressed; by default fast.
        scale: factor of each side, 1 to 16; by default the model's own.
        width: of the result in pixels; alone it keeps proportions; not beside `scale`.
        height: likewise.
        max_width: the result is made smaller, in proportion, where it would be wider.
        max_height: or higher.
        priority: how urgent it is; the server may allow less.
    """

    model: str
    format: ImageFormat | None
    quality: int | None
    compression: Compression | None
    scale: float | None
    width: int | None
    height: int | None
    max_width: int | None
    max_height: int | None
    priority: Priority | None


class Sink(Protocol):
    """Where a result's file goes."""

    def write(self, data: bytes, /) -> object:
        """Takes the next bytes."""


def options_of(choices: Choices) -> upscaler_pb2.UpscaleOptions:
    """The message for a caller's choices.

    Raises:
        UpscaleFailed: a number is too large for the message.
    """
    values = dict(choices)
    format = choices.get("format")
    values["format"] = NUMBER_OF_FORMAT[format] if format else None
    try:
        return upscaler_pb2.UpscaleOptions(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise UpscaleFailed(
            grpc.StatusCode.INVALID_ARGUMENT, f"options do not fit the request: {error}"
        ) from error


def requests(
    options: upscaler_pb2.UpscaleOptions, image: bytes | Path, failed: Callable[[Exception], None]
) -> Iterator[Request]:
    """The messages that carry an image to the server.

    Whoever asks for them opens and closes the file: it may stall in each step, for good.

    Args:
        options: the caller's choices.
        image: a file's content or its path.
        failed: told of what keeps the file from being read; then there are no more messages.
    """
    try:
        with BytesIO(image) if isinstance(image, bytes) else image.open("rb") as file:
            yield Request(options=options)
            while chunk := file.read(CHUNK_BYTES):
                yield Request(chunk=chunk)
    except Exception as error:
        failed(error)


class Answer:
    """Gathers the messages of an answer.

    Args:
        sink: where the result's file goes.
        progress: told of each step.

    Attributes:
        response: all but the image.
        begun: whether anything has gone into the sink.
    """

    def __init__(self, sink: Sink, progress: Progress | None) -> None:
        self._sink = sink
        self._progress = progress
        self.response = upscaler_pb2.UpscaleResponse()
        self.begun = False

    def add(self, piece: upscaler_pb2.UpscaleStreamResponse) -> None:
        """Takes the next message."""
        match piece.WhichOneof("part"):
            case "started":
                self.response.input.CopyFrom(piece.started.input)
                self.response.output.CopyFrom(piece.started.output)
                self.response.model.CopyFrom(piece.started.model)
            case "progress" if self._progress:
                self._progress(piece.progress.rows_done, piece.progress.rows)
            case "chunk":
                self.begun = True
                self._sink.write(piece.chunk)
            case "finished":
                self.response.timings.CopyFrom(piece.finished.timings)
