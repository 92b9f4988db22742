"""Reading 16-bit samples through Pillow, which by itself holds only grey ones.

Of a 16-bit colour sample Pillow's decoders keep one byte: the one that the raw mode's byte order
calls the high one. Decoding twice, the second time in the other byte order, gives both, with all
of Pillow's compressions, predictors and interlacing.
"""

import sys
from collections.abc import Callable

import numpy as np
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TiffImageFile,
)

from serving.errors import InvalidImage
from serving.pixels import Pixels

_SWAPPED = {"B": "L", "L": "B"}
_NATIVE = "L" if sys.byteorder == "little" else "B"
_WHITE_IS_ZERO = 0
_PLANE_BY_PLANE = 2


def holds_16_bits(image: ImageFile) -> bool:
    """Whether an opened image's header tells of grey or RGB samples of more than 8 bits."""
    if image.mode in ("RGB", "RGBA"):
        if isinstance(image, TiffImageFile):
            return 16 in image.tag_v2.get(BITSPERSAMPLE, ())
        return ";16" in _raw_mode(image)
    return image.mode.startswith("I;16")


def read_16_bits(image: ImageFile, reopen: Callable[[], ImageFile]) -> Pixels:
    """Decodes an image for which :func:`holds_16_bits`.

    Args:
        image: just opened, nothing decoded yet.
        reopen: opens the same file once more.

    Returns:
        uint16 [H, W, C]; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.

    Raises:
        InvalidImage: colours are stored one whole plane after the other.
        OSError: the data are damaged.
    """
    if image.mode.startswith("I;16"):
        pixels = _read_grey(image)
    elif _raw_mode(image) == "LA;16B":
        # As four 8-bit channels these are the high and low byte of grey, then those of alpha.
        pixels = _decode(image, "RGBA").view(">u2").astype(np.uint16)
    else:
        pixels = _read_colour(image, reopen)
    return _apply_transparent_colour(pixels, image.info.get("transparency"))


def _read_grey(image: ImageFile) -> Pixels:
    pixels = np.asarray(image).astype(np.uint16)[:, :, None]
    if isinstance(image, TiffImageFile):
        (bits,) = image.tag_v2[BITSPERSAMPLE]
        most = 2**bits - 1
        if image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO:
            pixels = most - pixels
        if bits < 16:
            pixels = ((pixels.astype(np.uint32) * 65535 + most // 2) // most).astype(np.uint16)
    return pixels


def _read_colour(image: ImageFile, reopen: Callable[[], ImageFile]) -> Pixels:
    if isinstance(image, TiffImageFile):
        planar = image.tag_v2.get(PLANAR_CONFIGURATION)
        if planar == _PLANE_BY_PLANE:
            raise InvalidImage("image", "16-bit TIFF stored plane by plane", "interleaved samples")
    kind, order = _raw_mode(image).split(";16")
    order = order.replace("N", _NATIVE)
    # The lower-case raw mode would divide by alpha at 8 bits.
    stored = kind.replace("RGBa", "RGBA")
    low = _decode(reopen(), f"{stored};16{_SWAPPED[order]}")
    high = _decode(image, f"{stored};16{order}")
    pixels = np.left_shift(high, 8, dtype=np.uint16) | low
    if kind == "RGBa":
        alpha = pixels[:, :, 3:].astype(np.uint32)
        colour = (pixels[:, :, :3].astype(np.uint32) * 65535 + alpha // 2) // np.maximum(alpha, 1)
        pixels[:, :, :3] = np.minimum(colour, 65535)
    return pixels


def _decode(image: ImageFile, raw_mode: str) -> Pixels:
    image.tile = [
        tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
        for tile in image.tile
    ]
    return np.asarray(image)


def _raw_mode(image: ImageFile) -> str:
    if not image.tile:
        return ""
    args = image.tile[0].args
    return str(args[0] if isinstance(args, tuple) else args)


def _apply_transparent_colour(pixels: Pixels, colour: object) -> Pixels:
    """Adds alpha where a PNG declares one colour as transparent (its tRNS chunk)."""
    if not isinstance(colour, int | tuple):
        return pixels
    opaque = np.any(pixels != np.array(colour, dtype=np.uint16), axis=2, keepdims=True)
    alpha = np.where(opaque, np.uint16(65535), np.uint16(0))
    return np.concatenate([pixels, alpha], axis=2)
