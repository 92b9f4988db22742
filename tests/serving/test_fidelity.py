"""What a caller gets back for every kind of image, through a running server."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Literal

import numpy as np
import pytest
import tifffile
from PIL import Image

from protos.upscaler.v1 import upscaler_pb2
from serving.client import UpscalerClient
from serving.codec.formats import Compression, ImageFormat
from tests.serving.files import (
    checker,
    enlarged,
    pillow,
    read,
    read_png,
    read_tiff,
    write,
    write_png,
    write_tiff,
)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("interlace", [False, True])
def test_png_keeps_channels_and_depth(
    client: UpscalerClient, channels: int, dtype: type, interlace: bool
) -> None:
    pixels = checker(channels, dtype)
    response = client.upscale(write_png(pixels, interlace))
    result = read_png(response.image)
    assert result.dtype == dtype
    assert np.array_equal(result, enlarged(pixels))
    assert response.input == upscaler_pb2.ImageInfo(
        format=upscaler_pb2.IMAGE_FORMAT_PNG,
        width=9,
        height=6,
        channels=channels,
        bit_depth=pixels.dtype.itemsize * 8,
    )
    assert (response.output.width, response.output.height) == (36, 24)
    assert response.output.bit_depth == response.input.bit_depth


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("byteorder", "compressed"), [("<", False), (">", False), ("<", True)])
def test_tiff_keeps_channels_and_depth(
    client: UpscalerClient,
    channels: int,
    dtype: type,
    byteorder: Literal["<", ">"],
    compressed: bool,
) -> None:
    pixels = checker(channels, dtype)
    response = client.upscale(write_tiff(pixels, byteorder, compressed))
    result = read_tiff(response.image)
    assert result.dtype == dtype
    assert np.array_equal(result, enlarged(pixels))
    assert response.output.format == upscaler_pb2.IMAGE_FORMAT_TIFF


def test_tiff_holds_16_bit_grey_with_alpha(client: UpscalerClient) -> None:
    pixels = checker(2, np.uint16)
    response = client.upscale(write_png(pixels), format=ImageFormat.TIFF)
    assert np.array_equal(read_tiff(response.image), enlarged(pixels))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_may_store_plane_by_plane(client: UpscalerClient, dtype: type) -> None:
    pixels = checker(3, dtype)
    file = BytesIO()
    tifffile.imwrite(file, pixels.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_tiff(client.upscale(file.getvalue()).image), enlarged(pixels))


def test_12_bits_of_grey_become_16(client: UpscalerClient) -> None:
    levels = np.array([[0, 1, 2048, 4095] * 2] * 4)
    packed = "".join(f"{level:012b}" for level in levels.ravel())
    strip = int(packed, 2).to_bytes(len(packed) // 8, "big")
    # Width, height, bits, compression, black is 0, offset, channels, rows of a strip, its size.
    tags = [(256, 8), (257, 4), (258, 12), (259, 1), (262, 1), (273, 122), (277, 1), (278, 4)]
    tags.append((279, len(strip)))
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(4)
    assert len(head) == 122
    result = read_tiff(client.upscale(head + strip).image)
    expected = np.rint(levels * (65535 / 4095)).astype(np.uint16)[:, :, None]
    assert np.array_equal(result, enlarged(expected))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_fourth_channel_of_a_tiff_need_not_be_alpha(client: UpscalerClient, dtype: type) -> None:
    pixels = checker(4, dtype)
    file = BytesIO()
    tifffile.imwrite(file, pixels, photometric="rgb", extrasamples=["unspecified"])
    result = read_tiff(client.upscale(file.getvalue()).image)
    assert np.array_equal(result, enlarged(pixels[:, :, :3]))


def test_colour_that_was_multiplied_by_alpha_is_divided_again(client: UpscalerClient) -> None:
    pixels = np.full((8, 8, 4), (60, 30, 15, 128), np.uint8)
    file = BytesIO()
    tifffile.imwrite(file, pixels, photometric="rgb", extrasamples=["assocalpha"])
    result = read_tiff(client.upscale(file.getvalue()).image)
    assert np.abs(result.astype(int) - (120, 60, 30, 128)).max() <= 1


def test_pillow_reads_what_we_write(client: UpscalerClient) -> None:
    pixels = checker(4, height=90, width=120)
    for format in (ImageFormat.PNG, ImageFormat.TIFF):
        response = client.upscale(write_png(pixels), format=format)
        assert np.array_equal(read(response.image), enlarged(pixels))


def test_a_dark_16_bit_image_stays_16_bit(client: UpscalerClient) -> None:
    for channels in (1, 3):
        dark = (checker(channels) % 200).astype(np.uint16)
        result = read_png(client.upscale(write_png(dark)).image)
        assert result.dtype == np.uint16
        assert np.array_equal(result, enlarged(dark))


def test_16_bits_are_rounded_to_8_where_the_format_holds_no_more(client: UpscalerClient) -> None:
    pixels = checker(3, np.uint16)
    response = client.upscale(write_png(pixels), format=ImageFormat.BMP)
    assert response.output.bit_depth == 8
    assert np.array_equal(read(response.image), enlarged(np.rint(pixels / 257).astype(np.uint8)))


def palette() -> Image.Image:
    return pillow(checker(3)).quantize(7)


def palette_with_transparency() -> Image.Image:
    image = palette()
    image.info["transparency"] = bytes([255, 128, 0, 255, 40, 255, 255])
    return image


@pytest.mark.parametrize(
    ("image", "format", "mode"),
    [
        (lambda: pillow(checker(1)).convert("1"), "PNG", "L"),
        (lambda: pillow(checker(1)).convert("1"), "TIFF", "L"),
        (lambda: pillow(checker(1)), "BMP", "L"),
        (lambda: pillow(checker(3)), "BMP", "RGB"),
        (palette, "PNG", "RGB"),
        (palette, "BMP", "RGB"),
        (palette_with_transparency, "PNG", "RGBA"),
        (lambda: pillow(checker(3)).convert("CMYK"), "TIFF", "RGB"),
    ],
    ids=["1", "1-tiff", "L-bmp", "RGB-bmp", "P", "P-bmp", "P-alpha", "CMYK"],
)
def test_other_kinds_become_the_nearest_common_one(
    client: UpscalerClient, image: Callable[[], Image.Image], format: str, mode: str
) -> None:
    data = write(image(), format)
    expected = np.array(Image.open(BytesIO(data)).convert(mode)).reshape(6, 9, -1)
    if mode == "RGBA":
        expected[expected[:, :, 3] == 0] = 0
    result = read(client.upscale(data).image)
    assert np.array_equal(result, enlarged(expected))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_in_and_out(client: UpscalerClient, mode: str) -> None:
    smooth = Image.linear_gradient("L").resize((24, 16)).convert(mode)
    data = write(smooth, "JPEG", quality=95)
    response = client.upscale(data, quality=100)
    result = Image.open(BytesIO(response.image))
    assert result.format == "JPEG"
    assert result.mode == ("L" if mode == "L" else "RGB")
    source = np.asarray(Image.open(BytesIO(data)).convert(result.mode)).reshape(16, 24, -1)
    difference = read(response.image).astype(int) - enlarged(source)
    assert np.abs(difference).max() <= 6


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_webp_in_and_out(client: UpscalerClient, channels: int) -> None:
    flat = np.full((8, 8, channels), 90, np.uint8)
    response = client.upscale(write(pillow(flat), "WEBP", lossless=True))
    result = read(response.image)
    assert result.shape == (32, 32, 4 if channels == 4 else 3)
    assert np.abs(result.astype(int) - 90).max() <= 2


def test_quality_changes_the_size(client: UpscalerClient) -> None:
    data = write_png(checker(3))
    for format in (ImageFormat.JPEG, ImageFormat.WEBP):
        small, default, large = (
            len(client.upscale(data, format=format, quality=quality).image)
            for quality in (10, None, 100)
        )
        assert small < default < large


@pytest.mark.parametrize("format", [ImageFormat.PNG, ImageFormat.TIFF])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_compression_changes_the_size_and_no_pixel(
    client: UpscalerClient, format: ImageFormat, dtype: type
) -> None:
    data = write_png(checker(3, dtype, 90, 120))
    default, fast, small = (
        client.upscale(data, format=format, compression=compression).image
        for compression in (None, Compression.FAST, Compression.SMALL)
    )
    assert len(small) < len(fast) == len(default)
    pixels = read_png if format is ImageFormat.PNG else read_tiff
    assert np.array_equal(pixels(small), pixels(fast))


@pytest.mark.parametrize("format", [ImageFormat.JPEG, ImageFormat.BMP])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_flattened_on_white_where_there_is_none(
    client: UpscalerClient, format: ImageFormat, channels: int
) -> None:
    pixels = np.zeros((8, 8, channels), np.uint8)
    pixels[:4, :, -1] = 51
    result = read(client.upscale(write_png(pixels), format=format, quality=100).image)
    assert result.shape[2] == channels - 1
    assert np.abs(result[:12].astype(int) - 204).max() <= 2
    assert (result[20:] >= 253).all()


def test_a_transparent_colour_becomes_alpha(client: UpscalerClient) -> None:
    for dtype, file_format in ((np.uint8, "PNG"), (np.uint16, "PNG")):
        grey = np.arange(12, dtype=dtype).reshape(3, 4)
        data = write(Image.fromarray(grey), file_format, transparency=5)
        result = read_png(client.upscale(data).image)
        assert result.shape == (12, 16, 2)
        opaque = np.iinfo(dtype).max
        expected = np.where(grey == 5, 0, opaque).repeat(4, axis=0).repeat(4, axis=1)
        assert np.array_equal(result[:, :, 1], expected)


def test_grey_stays_grey(client: UpscalerClient) -> None:
    for file in (write_png(checker(1)), write(pillow(checker(1)), "JPEG")):
        response = client.upscale(file, model="random")
        assert response.output.channels == 1
        assert Image.open(BytesIO(response.image)).mode == "L"


def test_the_first_of_several_frames_is_used(client: UpscalerClient) -> None:
    first, second = pillow(checker(3)), pillow(255 - checker(3))
    for format in ("PNG", "TIFF"):
        data = write(first, format, save_all=True, append_images=[second])
        assert np.array_equal(read(client.upscale(data).image), enlarged(checker(3)))


def test_white_is_zero_is_understood(client: UpscalerClient) -> None:
    pixels = checker(1, np.uint16)
    data = bytearray(write_tiff(pixels))
    tag = data.index(b"\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00")
    data[tag + 8] = 0
    result = read_tiff(client.upscale(bytes(data)).image)
    assert np.array_equal(result, enlarged((65535 - pixels).astype(np.uint16)))


def test_the_response_tells_the_model_and_the_time(client: UpscalerClient) -> None:
    response = client.upscale(write_png(checker(3)), model="random")
    assert response.model == upscaler_pb2.Model(
        name="random", scale=4, precision=upscaler_pb2.PRECISION_FP32
    )
    for stage in ("queue", "decode", "upscale", "encode"):
        assert 0 < getattr(response.timings, stage).ToNanoseconds() < 60e9
