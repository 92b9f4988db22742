from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from serving.codec.jpeg import encode_jpeg
from serving.codec.picture import Metadata
from serving.strips import Strips
from tests.serving.files import checker, pillow, read, write


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (9, 17), (2600, 900), (40, 65_500)])
def test_joined_strips_are_the_file_of_the_whole(channels: int, height: int, width: int) -> None:
    pixels = checker(channels, height=height, width=width)
    parts = (pixels[top : top + 100] for top in range(0, height, 100))
    strips = Strips(height, width, channels, np.uint8, parts)
    chunks = [*encode_jpeg(strips, Metadata(dpi=(72, 96)), quality=80)]
    expected = write(pillow(pixels), "JPEG", quality=80, subsampling="4:4:4")
    file = b"".join(chunks)
    assert np.array_equal(read(file), read(expected))
    assert Image.open(BytesIO(file)).info["dpi"] == (72, 96)
    if height == 2600:
        assert len(chunks) > 4


def test_libvips_reads_what_we_write() -> None:
    import pyvips

    pixels = checker(3, height=1500, width=900)
    file = b"".join(encode_jpeg(Strips.of(pixels), Metadata(), quality=95))
    image = pyvips.Image.new_from_buffer(file, "", fail_on="warning")
    assert np.array_equal(image.numpy(), read(file))
