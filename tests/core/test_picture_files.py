"""Picture files: read as RGB of 8 bits, upright, whatever they hold; what is none is named."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.picture_files import PictureError, read_rgb
from tests.srgan.pictures import picture, save_pictures


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "1", "LA"])
def test_pictures_of_any_mode_are_read_as_rgb(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    original = Image.fromarray(picture(9, 11)).convert(mode)
    original.save(path)
    got = read_rgb(path)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, np.array(original.convert("RGB")))


# Brightest at a third of white: what is white is told by the file, not by its pixels.
DEEP = (picture(9, 11)[..., 0].astype(np.uint16) * 257 + 77) // 3


@pytest.mark.parametrize("name", ["x.png", "x.tif", "big-endian.tif"])
def test_grey_of_16_bits_is_rounded_to_8(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".png":
        Image.fromarray(DEEP).save(path)
    else:
        tifffile.imwrite(path, DEEP, byteorder=">" if "big" in name else "<")
    wanted = np.rint(DEEP / 257).astype(np.uint8)
    np.testing.assert_array_equal(read_rgb(path), np.stack([wanted] * 3, axis=-1))


def test_a_turned_picture_of_16_bits_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(DEEP).save(tmp_path / "x.png", exif=exif)
    wanted = np.rot90(np.rint(DEEP / 257), -1)
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.png")[..., 1], wanted)


@pytest.mark.parametrize("kind", ["float32", "int32", "int16", "miniswhite"])
def test_numbers_of_which_none_is_known_to_be_white_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    if kind == "miniswhite":
        tifffile.imwrite(path, DEEP, photometric=kind)
    else:
        tifffile.imwrite(path, (DEEP // 2).astype(kind))
    with pytest.raises(ValueError, match=f"{path} cannot be read as a picture: nothing tells"):
        read_rgb(path)


def test_a_turned_photograph_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    source = picture(8, 12)
    Image.fromarray(source).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_rgb(tmp_path / "turned.png"), np.rot90(source, -1))


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_file_that_is_no_picture_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=str(path)):
        read_rgb(path)


def test_what_a_photograph_says_of_itself_may_be_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    width = struct.pack("<HHI4s", 0x0100, 2, 4, b"wide")  # in letters
    turn = struct.pack("<HHII", 0x0112, 3, 1, 6)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + width + turn + bytes(4)
    Image.fromarray(picture(16, 24)).save(path, exif=exif)
    with pytest.raises(PictureError, match=r"turned\.jpg cannot be read as a picture"):
        read_rgb(path)


def test_a_picture_of_absurd_size_is_refused_like_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = save_pictures(tmp_path, 1)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match=str(path)):
        read_rgb(path)
