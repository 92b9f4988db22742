import pytest

from serving.codec.encode import check_encodable
from serving.codec.formats import DEFAULT_QUALITY, ImageFormat
from serving.errors import ImageTooLarge


@pytest.mark.parametrize(("width", "height"), [(40_000, 40_000), (1, 2**30), (2**31 - 1, 1)])
def test_a_bmp_of_4_gib_is_refused(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge, match="less than 4 GiB for BMP; choose another format"):
        check_encodable(width, height, ImageFormat.BMP, DEFAULT_QUALITY)
    check_encodable(width, height, ImageFormat.TIFF, DEFAULT_QUALITY)


def test_the_largest_bmp_is_not() -> None:
    rows_padded_to_4_bytes = 2**30 - 14  # and 54 bytes before them
    check_encodable(1, rows_padded_to_4_bytes, ImageFormat.BMP, DEFAULT_QUALITY)
    with pytest.raises(ImageTooLarge):
        check_encodable(1, rows_padded_to_4_bytes + 1, ImageFormat.BMP, DEFAULT_QUALITY)
