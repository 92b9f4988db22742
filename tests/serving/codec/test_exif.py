from io import BytesIO

import pytest
from PIL import ExifTags, Image

from serving.codec.decode import decode
from serving.codec.encode import encode
from serving.codec.exif import MARKER, shortened, with_density
from serving.codec.formats import ImageFormat
from tests.serving.files import checker, pillow, write


def block(note_bytes: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "A. Painter"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = b"x" * note_bytes
    return exif.tobytes().removeprefix(MARKER)


def test_a_block_that_fits_stays_as_it_is() -> None:
    assert shortened(block(100), len(block(100))) == block(100)
    assert shortened(b"", 0) == b""


def test_a_byte_less_costs_the_makers_note_and_more_everything() -> None:
    less = shortened(block(100), len(block(100)) - 1)
    assert 0 < len(less) < len(block(100)) - 100
    assert b"A. Painter" in less
    assert shortened(block(100), len(less)) == less
    assert shortened(block(100), len(less) - 1) == b""


def test_a_density_can_be_told_with_and_without_other_tags() -> None:
    for before in (b"", block(100)):
        exif = Image.Exif()
        exif.load(with_density(before, (300, 72.5)))
        assert (exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution]) == (300, 72.5)
        assert exif[ExifTags.Base.ResolutionUnit] == 2
        assert exif.get(ExifTags.Base.Artist) == ("A. Painter" if before else None)


NAME = "Jörg 画家"  # which Pillow reads as if each byte were a letter


class Text(str):
    """What Pillow writes as UTF-8."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return super().encode("utf-8")


def described(file: ImageFormat) -> bytes:
    if file is ImageFormat.TIFF:  # of which Pillow writes one directory alone
        picture = decode(described(ImageFormat.PNG), 10**6)
        return b"".join(encode(picture.strips, file, picture.metadata, 90))
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = Text(NAME)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] = Text(NAME)
    return write(pillow(checker(3)), file.name, exif=exif)


@pytest.mark.parametrize("of", [ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.TIFF])
@pytest.mark.parametrize("to", [ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.TIFF])
def test_names_in_any_letters_come_through(of: ImageFormat, to: ImageFormat) -> None:
    picture = decode(described(of), 10**6)
    result = b"".join(encode(picture.strips, to, picture.metadata, 90))
    with Image.open(BytesIO(result)) as image:
        exif = image.getexif()
        artist = exif[ExifTags.Base.Artist]
        lens = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel]
    assert [name.encode("latin-1").decode() for name in (artist, lens)] == [NAME, NAME]
