"""How pixels of any kind (grey or colour, alpha or none, 8 or 16 bits) go through an RGB network.

Everything here looks only so far around each pixel as :func:`margin` says, so that it works on a
tile as on a whole picture.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from serving.alpha import bound_alpha, continuation_radii, continue_colour
from serving.grey import without_colour

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Floats = NDArray[np.float32]
Depth = type[np.uint8] | type[np.uint16]
Network = Callable[[Floats], Floats]


def has_alpha(channels: int) -> bool:
    """Whether the last of so many channels is alpha: of 2 and 4, not of 1 and 3."""
    return channels in (2, 4)


def empty(height: int, width: int, channels: int, depth: Depth) -> Pixels:
    """Room for pixels, [H, W, C], of any content."""
    room: Pixels = np.empty((height, width, channels), depth)  # type: ignore[assignment]
    return room


def margin(channels: int, halo: int) -> int:
    """How far around an input pixel the result looks, for a network that looks `halo` far."""
    return halo + sum(continuation_radii(halo)) if has_alpha(channels) else halo


def as_floats(pixels: Pixels) -> Floats:
    """Samples of any depth to [0, 1]."""
    values: Floats = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return values


def quantise(values: Floats, depth: Depth) -> Pixels:
    """[0, 1] to the whole range of `depth`, rounded; what is outside is clipped."""
    most = np.float32(np.iinfo(depth).max)
    scaled = np.clip(values, 0, 1) * most
    pixels: Pixels = np.rint(scaled, out=scaled).astype(depth)
    return pixels


def upscale_pixels(network: Network, halo: int, pixels: Pixels, depth: Depth) -> Pixels:
    """Upscales pixels of any kind with a network made for RGB.

    Grey runs as three equal channels, whose results are averaged, as they are where colour is grey
    (see :mod:`serving.grey`); alpha runs as a grey picture of its own (see :mod:`serving.alpha`).
    Where the result is fully transparent, colour is 0.

    Args:
        network: float32 [1, 3, H, W] in [0, 1] to [1, 3, sH, sW].
        halo: the network's, in input pixels.
        pixels: uint8 or uint16 [H, W, C]; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        depth: type of the result's samples.

    Returns:
        Pixels of type `depth`, [sH, sW, C].
    """
    values = as_floats(pixels)
    if not has_alpha(pixels.shape[2]):
        return quantise(_run(network, values, halo), depth)
    colour, alpha = values[:, :, :-1], values[:, :, -1:]
    colour = _run(network, continue_colour(colour, alpha, continuation_radii(halo)), halo)
    # Most tiles of most pictures with alpha are opaque all over.
    upscaled_alpha = (
        np.ones((*colour.shape[:2], 1), np.float32)
        if alpha.min() == 1
        else bound_alpha(_run(network, alpha, halo), alpha)
    )
    result: Pixels = np.concatenate(
        [quantise(colour, depth), quantise(upscaled_alpha, depth)], axis=2
    )
    result[result[:, :, -1] == 0] = 0
    return result


def _run(network: Network, values: Floats, halo: int) -> Floats:
    """[H, W, 1 or 3] to [sH, sW, the same]."""
    grey = values.shape[2] == 1
    planes = np.repeat(values, 3, axis=2) if grey else values
    result: Floats = network(np.ascontiguousarray(planes.transpose(2, 0, 1)[None]))[0]
    if grey:
        result = result.mean(axis=0, keepdims=True, dtype=np.float32)
    upscaled: Floats = result.transpose(1, 2, 0)
    return upscaled if grey else without_colour(upscaled, values, halo)
