"""A palette that holds only grey is a grey picture, which the header tells."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from serving.codec.decode import decode
from tests.serving.files import checker, write

GREYS = [level for level in range(255, -1, -1) for _ in range(3)]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def paletted(palette: list[int]) -> Image.Image:
    image = Image.fromarray(checker(1)[:, :, 0])
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(palette)
    return image


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_greys_alone_are_grey(format: str) -> None:
    strips = decode(write(paletted(GREYS), format), 10**6).strips
    assert strips.channels == 1
    assert np.array_equal(strips.whole(), 255 - checker(1))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("channel", range(3))
def test_one_colour_is_enough_for_colour(format: str, channel: int) -> None:
    palette = GREYS.copy()
    palette[3 * 100 + channel] ^= 1
    strips = decode(write(paletted(palette), format), 10**6).strips
    assert strips.channels == 3
    expected = np.array(palette, np.uint8).reshape(256, 3)[checker(1)[:, :, 0]]
    assert np.array_equal(strips.whole(), expected)


def test_transparency_of_greys_stays() -> None:
    image = paletted(GREYS)
    alpha = bytes(range(256))
    file = BytesIO()
    image.save(file, "PNG", transparency=alpha)
    strips = decode(file.getvalue(), 10**6).strips
    assert np.array_equal(strips.whole(), np.concatenate([255 - checker(1), checker(1)], axis=2))


def test_greys_with_a_profile_for_colour_keep_both() -> None:
    picture = decode(write(paletted(GREYS), "PNG", icc_profile=SRGB), 10**6)
    assert (picture.strips.channels, picture.metadata.icc) == (3, SRGB)
