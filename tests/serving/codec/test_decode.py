"""What is decoded as it is drawn, and what at once."""

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from serving.codec.decode import decode
from serving.errors import ImageTooLarge, InvalidImage
from tests.serving.files import checker, pillow, read_png, write, write_png, write_tiff

TALL = checker(3, height=1000, width=20)
ORIENTATION = 0x0112


@pytest.mark.parametrize(
    "data",
    [
        write_png(TALL),
        write_png(checker(4, np.uint16, 1000, 20)),
        write(pillow(TALL), "JPEG"),
        write_tiff(TALL, compressed=True),
    ],
    ids=["png", "png-16", "jpeg", "tiff"],
)
def test_strips_are_decoded_as_they_are_drawn(data: bytes) -> None:
    strips = decode(data, 10**6).strips
    parts = [*strips.parts]
    assert max(len(part) for part in parts) <= 64
    assert sum(len(part) for part in parts) == strips.height == 1000


@pytest.mark.parametrize("save", [write_png, write_tiff])
def test_damage_is_found_when_it_is_reached(save: Callable[[np.ndarray], bytes]) -> None:
    whole = save(TALL)
    parts = decode(whole[: len(whole) // 2], 10**6).strips.parts
    assert next(parts).shape == (64, 20, 3)
    with pytest.raises(InvalidImage, match=r"^image is damaged (PNG|TIFF) data \(.*\); expected"):
        list(parts)


@pytest.mark.parametrize("orientation", [1, 2, 6])
def test_only_turned_pictures_are_held_whole(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    parts = [*decode(write(pillow(TALL), "PNG", exif=exif), 10**6).strips.parts]
    assert (len(parts) == 1) == (orientation == 6)


def test_what_libvips_cannot_open_is_left_to_pillow() -> None:
    file = BytesIO()
    pillow(TALL).save(file, "BMP")
    assert np.array_equal(decode(file.getvalue(), 10**6).strips.whole(), TALL)
    assert np.array_equal(read_png(write_png(TALL)), TALL)


def test_of_two_widths_in_one_header_neither_may_be_too_large() -> None:
    # Pillow believes the last of them, libvips the first.
    grey_8_bits_uncompressed = [(258, 8), (259, 1), (262, 1), (273, 200), (278, 20), (279, 400)]
    for widths in ((10**6, 20), (20, 10**6)):
        tags = [*((256, width) for width in widths), (257, 20), *grey_8_bits_uncompressed]
        directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        file = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + directory + bytes(600)
        with pytest.raises(ImageTooLarge):
            decode(file, 10**6)


@pytest.mark.parametrize("quality", [10, 90])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_grey_webp_has_no_colour(channels: int, quality: int) -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(64).reshape(128, 128, 1)
    pixels = levels.repeat(channels, axis=2)
    decoded = decode(write(pillow(pixels), "WEBP", quality=quality), 10**6).strips.whole()
    assert (decoded[:, :, :3] == decoded[:, :, :1]).all()
    assert np.abs(decoded[:, :, :1].astype(int) - levels).mean() < 3


def test_a_little_colour_in_a_webp_stays() -> None:
    pixels = np.full((40, 40, 3), 100, np.uint8)
    pixels[-1, -1] = (102, 100, 102)
    decoded = decode(write(pillow(pixels), "WEBP", lossless=True), 10**6).strips.whole()
    assert np.array_equal(decoded, pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_for_printers_is_turned_once(orientation: int) -> None:
    picture = pillow(checker(3, height=8, width=16))
    kept = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).convert("CMYK")

    def decoded(told: int) -> np.ndarray:
        return decode(write(kept, "TIFF", tiffinfo={ORIENTATION: told}), 10**6).strips.whole()

    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    upright = decode(write(Image.fromarray(decoded(1)), "PNG", exif=exif), 10**6).strips
    assert np.array_equal(decoded(orientation), upright.whole())
