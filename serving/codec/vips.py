"""Reading PNG, JPEG and TIFF strip by strip with libvips, 16-bit samples included."""

from collections.abc import Iterator

import numpy as np
import pyvips

from serving.codec.tags import MAGICS, alpha_among
from serving.pixels import Depth, Pixels
from serving.strips import Strips

Error = pyvips.Error

_ROWS = 64
_LOADERS = {
    b"\x89PNG": pyvips.Image.pngload_buffer,
    b"\xff\xd8": pyvips.Image.jpegload_buffer,
    **dict.fromkeys(MAGICS, pyvips.Image.tiffload_buffer),
}
_DEPTHS: dict[str, Depth] = {"uchar": np.uint8, "ushort": np.uint16}
_COLOURS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb16": 3}

# Nothing is ever read twice.
pyvips.cache_set_max(0)


def open_strips(data: bytes) -> Strips | None:
    """Reads an image's header; the pixels follow as the strips are drawn.

    Palettes become RGB, bilevel becomes grey, a transparent colour becomes alpha, and colour that
    was multiplied by alpha is divided by it. Of a TIFF's samples beside the colours only alpha is
    kept. Interlaced PNG and progressive JPEG are held whole in memory by the decoder.

    Returns:
        The picture as it is stored, orientation not applied, or None where this is no PNG, JPEG or
        TIFF file, or not of 8 or 16 unsigned bits in grey or RGB.

    Raises:
        Error: while strips are drawn: the data are damaged.
    """
    loader = next((load for magic, load in _LOADERS.items() if data.startswith(magic)), None)
    if loader is None:
        return None
    try:
        image = loader(data, access="sequential", fail_on="error")
    except Error:
        return None
    if image.format not in _DEPTHS or image.interpretation not in _COLOURS:
        return None
    if data.startswith(MAGICS):
        image = _without_extra(image, data)
    return Strips(image.height, image.width, image.bands, _DEPTHS[image.format], _parts(image))


def _without_extra(image: pyvips.Image, data: bytes) -> pyvips.Image:
    """Only the colours of a TIFF, and its alpha."""
    colours = _COLOURS[image.interpretation]
    extra = image.bands - colours
    if extra < 1:
        return image
    alpha = alpha_among(data, extra)
    colour = image.extract_band(0, n=colours)
    return colour if alpha is None else colour.bandjoin(image.extract_band(colours + alpha))


def _parts(image: pyvips.Image) -> Iterator[Pixels]:
    region = pyvips.Region.new(image)
    for top in range(0, image.height, _ROWS):
        rows = min(_ROWS, image.height - top)
        samples = region.fetch(0, top, image.width, rows)
        pixels: Pixels = np.frombuffer(samples, _DEPTHS[image.format])  # type: ignore[assignment]
        yield pixels.reshape(rows, image.width, image.bands)
