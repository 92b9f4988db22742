from PIL import ExifTags, Image

from serving.codec.exif import MARKER, shortened, with_density


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
