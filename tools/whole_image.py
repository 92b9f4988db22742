"""Upscale a picture as scripts usually do, to compare memory with: all of it at once.

It is decoded whole into float32, goes through a bare ONNX Runtime session tile by tile, each with a
border of 10 pixels around it, into one float32 result, and that is rounded and encoded whole.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

_TILE, _BORDER = 256, 10


def upscale_whole(model: str, source: str, target: str) -> None:
    """Read ``source``, write ``target``; ``model`` is a file in fp32."""
    Image.MAX_IMAGE_PIXELS = None
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    with Image.open(source) as picture:
        lr = np.asarray(picture.convert("RGB"), np.float32).transpose(2, 0, 1)[None] / 255
    height, width = lr.shape[2:]
    scale = int(session.get_modelmeta().custom_metadata_map["scale"])
    hr = np.empty((1, 3, height * scale, width * scale), np.float32)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            first = max(0, top - _BORDER), max(0, left - _BORDER)
            tile = lr[:, :, first[0] : top + _TILE + _BORDER, first[1] : left + _TILE + _BORDER]
            out = session.run(None, {"lr": np.ascontiguousarray(tile)})[0]
            place = hr[
                :, :, top * scale : (top + _TILE) * scale, left * scale : (left + _TILE) * scale
            ]
            y, x = (top - first[0]) * scale, (left - first[1]) * scale
            place[:] = out[:, :, y : y + place.shape[2], x : x + place.shape[3]]
    levels = (hr[0].clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(levels).save(target)


if __name__ == "__main__":
    upscale_whole(*sys.argv[1:])
