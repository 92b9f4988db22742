"""The whole way from an image file to a larger one."""

from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np

from serving.catalog import Catalog
from serving.codec.decode import decode
from serving.codec.encode import DEFAULT_QUALITY, check_encodable, encode, sample_type
from serving.codec.formats import ImageFormat
from serving.engine import DEFAULT_TILE, upscale
from serving.model import ModelInfo
from serving.pixels import Pixels

DEFAULT_MAX_INPUT_PIXELS = 4096 * 4096


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose.

    Attributes:
        model: name of a model; empty for the default.
        format: of the result; None for that of the input.
        quality: 1 to 100, for JPEG and WebP.
    """

    model: str = ""
    format: ImageFormat | None = None
    quality: int = DEFAULT_QUALITY


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What an image file holds; `bit_depth` is 8 or 16, `channels` 1 to 4 as in `Picture`."""

    format: ImageFormat
    width: int
    height: int
    channels: int
    bit_depth: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock nanoseconds of each stage."""

    decode: int
    upscale: int
    encode: int


@dataclass(frozen=True, slots=True)
class Result:
    """An upscaled image file and how it was made; `model_name` is the one to ask for."""

    image: bytes
    input: ImageInfo
    output: ImageInfo
    model_name: str
    model: ModelInfo
    timings: Timings


class Upscaler:
    """Upscales image files; several threads may use it at once.

    Args:
        catalog: where models come from.
        tile: side of a tile in input pixels.
        max_input_pixels: the most pixels an input may have.
    """

    def __init__(
        self,
        catalog: Catalog,
        tile: int = DEFAULT_TILE,
        max_input_pixels: int = DEFAULT_MAX_INPUT_PIXELS,
    ) -> None:
        self._catalog = catalog
        self._tile = tile
        self._max_input_pixels = max_input_pixels

    def warm_up(self) -> str:
        """Loads the default model and runs it once, so that the first caller waits for neither.

        Returns:
            The name of the default model.

        Raises:
            InvalidModel: its file cannot be served.
        """
        upscale(self._catalog.load(), np.zeros((64, 64, 3), np.uint8), np.uint8)
        return self._catalog.resolve()

    def upscale(self, data: bytes, options: Options) -> Result:
        """Decodes, upscales and encodes.

        Raises:
            UnknownModel: there is no such model.
            InvalidImage: the bytes are no image that can be read.
            ImageTooLarge: it has too many pixels, or the result has for its format.
            InvalidOption: the quality is out of range.
        """
        name = self._catalog.resolve(options.model)
        started = perf_counter_ns()
        picture = decode(data, self._max_input_pixels)
        decoded = perf_counter_ns()
        model = self._catalog.load(name)
        format = options.format or picture.format
        height, width = (side * model.info.scale for side in picture.pixels.shape[:2])
        check_encodable(width, height, format, options.quality)
        pixels = upscale(model, picture.pixels, sample_type(picture.pixels, format), self._tile)
        upscaled = perf_counter_ns()
        image = encode(pixels, format, picture.metadata, options.quality)
        encoded = perf_counter_ns()
        return Result(
            image=image,
            input=_describe(picture.pixels, picture.format),
            output=_describe(pixels, format),
            model_name=name,
            model=model.info,
            timings=Timings(decoded - started, upscaled - decoded, encoded - upscaled),
        )


def _describe(pixels: Pixels, format: ImageFormat) -> ImageInfo:
    height, width, channels = pixels.shape
    return ImageInfo(format, width, height, channels, pixels.dtype.itemsize * 8)
