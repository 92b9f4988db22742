"""Reads and writes image files with libraries that the service does not use."""

import struct
import zlib
from io import BytesIO
from typing import Literal

import numpy as np
import png
import tifffile
from PIL import Image

from serving.pixels import Depth, Pixels

ByteOrder = Literal["<", ">"]


def checker(channels: int, dtype: type = np.uint8, height: int = 6, width: int = 9) -> Pixels:
    """Random samples over the whole range; alpha, if any, is never fully transparent."""
    most = int(np.iinfo(dtype).max)
    values: Pixels = (
        np.random.default_rng(channels)
        .integers(0, most + 1, (height, width, channels))
        .astype(dtype)
    )
    if channels in (2, 4):
        values[:, :, -1] = np.maximum(values[:, :, -1], 1)
    return values


def enlarged(pixels: Pixels, scale: int = 4) -> Pixels:
    """Each pixel repeated, as the network ``nearest`` does."""
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def pillow(pixels: Pixels) -> Image.Image:
    """8-bit pixels of any kind, or 16-bit grey, as Pillow holds them."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def write_png(pixels: Pixels, interlace: bool = False) -> bytes:
    height, width, channels = pixels.shape
    file = BytesIO()
    writer = png.Writer(
        width,
        height,
        greyscale=channels < 3,
        alpha=channels in (2, 4),
        bitdepth=pixels.dtype.itemsize * 8,
        interlace=interlace,
    )
    writer.write(file, pixels.reshape(height, -1).tolist())
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that tells its size but has no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + bytes(4)


def read_png(data: bytes) -> Pixels:
    """Samples as stored: [H, W, C], 8 or 16 bits."""
    width, height, rows, info = png.Reader(bytes=data).read()
    dtype: Depth = np.uint16 if info["bitdepth"] == 16 else np.uint8
    pixels: Pixels = np.empty((height, width, info["planes"]), dtype)
    pixels[:] = np.array([list(row) for row in rows]).reshape(pixels.shape)
    return pixels


def write_tiff(pixels: Pixels, byteorder: ByteOrder = "<", compressed: bool = False) -> bytes:
    channels = pixels.shape[2]
    file = BytesIO()
    tifffile.imwrite(
        file,
        pixels[:, :, 0] if channels == 1 else pixels,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig=None if channels == 1 else "contig",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        byteorder=byteorder,
        compression="zlib" if compressed else None,
        predictor=compressed,
    )
    return file.getvalue()


def read_tiff(data: bytes) -> Pixels:
    """Samples as stored: [H, W, C], 8 or 16 bits."""
    pixels: Pixels = tifffile.imread(BytesIO(data))
    return pixels.reshape(*pixels.shape[:2], -1)


def write(image: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def read(data: bytes) -> Pixels:
    """Any 8-bit file by Pillow, [H, W, C]."""
    image = Image.open(BytesIO(data))
    return np.asarray(image).reshape(image.height, image.width, -1)
