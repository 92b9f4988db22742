"""A picture enlarged by bicubic interpolation and by a model, side by side."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from serving.cli.whole import written_whole
from serving.codec.decode import decode
from serving.codec.encode import encode
from serving.codec.formats import DEFAULT_QUALITY, ImageFormat
from serving.codec.picture import Metadata, Picture
from serving.pixels import has_alpha
from serving.strips import Strips

_GAP = 8
_NO_LIMIT = 2**62
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def write_comparison(path: Path, original: bytes, result: bytes, title: str) -> None:
    """Writes a PNG of the original, enlarged to the size of the result, beside the result.

    Args:
        path: the PNG.
        original: a picture's file.
        result: the file of the same picture, upscaled.
        title: what the result was made by.

    Raises:
        ServingError: one of the files cannot be decoded.
        OSError: the PNG cannot be written.
    """
    upscaled = decode(result, _NO_LIMIT)
    pixels = np.asarray(side_by_side(_image(decode(original, _NO_LIMIT)), _image(upscaled), title))
    metadata = Metadata(icc=upscaled.metadata.icc)
    with written_whole(path) as file:
        for chunk in encode(Strips.of(pixels), ImageFormat.PNG, metadata, DEFAULT_QUALITY):
            file.write(chunk)


def side_by_side(original: Image.Image, result: Image.Image, title: str) -> Image.Image:
    """Bicubic (Keys, a = -0.5) on the left, the result on the right, titles above; all RGB."""
    width, height = result.size
    band = max(16, height // 24)
    sheet = Image.new("RGB", (2 * width + _GAP, height + band), _WHITE)
    bicubic = original.resize(result.size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(0.7 * band)
    for left, image, text in ((0, bicubic, "bicubic"), (width + _GAP, result, title)):
        sheet.paste(image, (left, band))
        draw.text((left, band / 2), text, _BLACK, font, anchor="lm")
    return sheet


def _image(picture: Picture) -> Image.Image:
    """The picture in 8 bits and RGB, on white where it is transparent."""
    pixels = picture.strips.whole()
    levels = float(np.iinfo(pixels.dtype).max)
    values: NDArray[np.float32] = pixels.astype(np.float32) / np.float32(levels)
    if has_alpha(pixels.shape[2]):
        colour, alpha = values[:, :, :-1], values[:, :, -1:]
        values = colour * alpha + (1 - alpha)
    if values.shape[2] == 1:
        values = values.repeat(3, axis=2)
    return Image.fromarray(np.rint(values * 255).astype(np.uint8))
