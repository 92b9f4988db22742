"""The whole way from an image file to a larger one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from serving.catalog import Catalog
from serving.codec.decode import decode
from serving.codec.encode import check_encodable, encode, sample_type
from serving.codec.formats import DEFAULT_QUALITY, Compression, ImageFormat
from serving.codec.picture import Metadata
from serving.engine import DEFAULT_TILE, upscale, upscale_strips
from serving.model import Model, ModelInfo
from serving.pipeline.size import Size, SizeOptions, plan_passes
from serving.pixels import Depth, Pixels
from serving.priority import Priority
from serving.resize import resize_strips
from serving.stages import Stages
from serving.stop import Stop
from serving.strips import Strips
from serving.tasks import Share, TaskPool

DEFAULT_MAX_INPUT_PIXELS = 2**25
DEFAULT_MAX_OUTPUT_PIXELS = 2**29


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose.

    Attributes:
        model: name of a model; empty for the default.
        format: of the result; None for that of the input.
        quality: 1 to 100, for JPEG and WebP.
        compression: how hard PNG and TIFF are compressed.
        size: of the result.
        priority: what goes first where processors are short.
    """

    model: str = ""
    format: ImageFormat | None = None
    quality: int = DEFAULT_QUALITY
    compression: Compression = Compression.FAST
    size: SizeOptions = field(default_factory=SizeOptions)
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What an image file holds; `bit_depth` is 8 or 16, `channels` 1 to 4 as in `Picture`."""

    format: ImageFormat
    width: int
    height: int
    channels: int
    bit_depth: int


@dataclass(frozen=True, slots=True)
class Upscaling:
    """An image that is being made larger.

    Attributes:
        cost: pixels that the network will be given, over all its runs.
        input: what was received, upright.
        output: what will come of it.
        model_name: the model's name, to ask for it again.
        model: what its file says.
        stages: where the time goes: ``decode``, ``upscale``, ``resize``, ``encode``, and ``wait``
            while other threads upscale.
        strips: the result's pixels, computed as they are drawn.
        metadata: to go into the result's file.
        quality: of that file.
        compression: of that file.
    """

    cost: int
    input: ImageInfo
    output: ImageInfo
    model_name: str
    model: ModelInfo
    stages: Stages
    strips: Strips
    metadata: Metadata
    quality: int
    compression: Compression

    def chunks(self, tell: Callable[[int, int], None] | None = None) -> Iterator[bytes]:
        """The result's file, piece by piece as it is computed; to be drawn once.

        Args:
            tell: called with the number of rows of the result that are computed, and of all.

        Raises:
            InvalidImage: the input turns out to be damaged.
            Stopped: nobody waits for the result any more.
        """
        strips = replace(self.strips, parts=_told(self.strips, tell)) if tell else self.strips
        chunks = encode(strips, self.output.format, self.metadata, self.quality, self.compression)
        return self.stages.each("encode", chunks)


class Upscaler:
    """Upscales image files; several threads may use it at once. Close it in the end.

    Attributes:
        catalog: where models come from; may be exchanged at any time.

    Args:
        catalog: where models come from.
        workers: tiles computed at the same time.
        tile: side of a tile in input pixels.
        max_input_pixels: the most pixels an input may have.
        max_output_pixels: the most pixels a result may have.
    """

    def __init__(
        self,
        catalog: Catalog,
        workers: int = 1,
        tile: int = DEFAULT_TILE,
        max_input_pixels: int = DEFAULT_MAX_INPUT_PIXELS,
        max_output_pixels: int = DEFAULT_MAX_OUTPUT_PIXELS,
    ) -> None:
        self.catalog = catalog
        self._pool = TaskPool(workers)
        self._tile = tile
        self._max_input_pixels = max_input_pixels
        self._max_output_pixels = max_output_pixels

    def close(self) -> None:
        """Ends its threads; no call may be under way."""
        self._pool.close()

    def warm_up(self) -> str:
        """Loads the default model and runs it once, so that the first caller waits for neither.

        Returns:
            The name of the default model.

        Raises:
            InvalidModel: its file cannot be served.
        """
        upscale(self.catalog.load(), np.zeros((64, 64, 3), np.uint8), np.uint8)
        return self.catalog.resolve()

    def upscale(
        self,
        data: bytes,
        options: Options,
        stop: Stop | None = None,
    ) -> Upscaling:
        """Reads the image's header and checks the options; the work begins with the chunks.

        Args:
            data: the image's file.
            options: what the caller chose.
            stop: ends the work by :class:`~serving.stop.Stopped` once it is set.

        Raises:
            UnknownModel: there is no such model.
            InvalidImage: the bytes are no image that can be read.
            ImageTooLarge: it has too many pixels, or the result has, also for its format.
            InvalidOption: the quality or the size is out of range.
        """
        stop = stop or Stop()
        catalog = self.catalog  # It may be exchanged meanwhile.
        catalog.resolve(options.model)
        stages = Stages()
        with stages.measure("decode"):
            picture = decode(data, self._max_input_pixels)
        name = catalog.resolve(options.model, picture.strips.depth)
        with stages.measure("upscale"):
            model = catalog.load(name).until(stop)
        parts = stages.each("decode", picture.strips.parts)
        source = replace(picture.strips, parts=stop.each(parts))
        format = options.format or picture.format
        size = options.size.of_result(
            Size(source.width, source.height), model.info.scale, self._max_output_pixels
        )
        check_encodable(size.width, size.height, format, options.quality)
        depth = sample_type(source.depth, format)
        pool = Share(self._pool, options.priority)
        result = self._enlarged(source, model, size, depth, pool, stages)
        passes = plan_passes(Size(source.width, source.height), size, model.info.scale)
        return Upscaling(
            cost=sum(given.pixels for given in passes),
            input=_describe(source, picture.format),
            output=_describe(result, format),
            model_name=name,
            model=model.info,
            stages=stages,
            strips=result,
            metadata=picture.metadata,
            quality=options.quality,
            compression=options.compression,
        )

    def _enlarged(
        self,
        source: Strips,
        model: Model,
        size: Size,
        depth: Depth,
        pool: Share,
        stages: Stages,
    ) -> Strips:
        """The picture in its final size and depth; between two steps samples have 16 bits."""

        def resized(strips: Strips, size: Size, depth: Depth) -> Strips:
            if size == Size(strips.width, strips.height):
                return strips
            return resize_strips(strips, size.height, size.width, depth, pool, stages)

        scale = model.info.scale
        strips = source
        for given in plan_passes(Size(source.width, source.height), size, scale):
            strips = resized(strips, given, np.uint16)
            reached = Size(given.width * scale, given.height * scale)
            sampled = depth if reached == size else np.uint16
            strips = upscale_strips(model, strips, sampled, pool, self._tile, stages)
        return resized(strips, size, depth)


def _told(strips: Strips, tell: Callable[[int, int], None]) -> Iterator[Pixels]:
    done = 0
    for part in strips.parts:
        done += len(part)
        tell(done, strips.height)
        yield part


def _describe(strips: Strips, format: ImageFormat) -> ImageInfo:
    bits = np.iinfo(strips.depth).bits
    return ImageInfo(format, strips.width, strips.height, strips.channels, bits)
