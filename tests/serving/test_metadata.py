"""Orientation, EXIF and colour profiles on their way through a running server."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms, ImageOps, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from serving.client import UpscalerClient
from serving.codec.decode import decode
from serving.codec.formats import ImageFormat
from tests.serving.files import checker, enlarged, pillow, read_png, write

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION = 0x0112
ARTIST = 0x013B


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_exif_orientation_is_applied_and_forgotten(
    client: UpscalerClient, orientation: int, dtype: type
) -> None:
    pixels = checker(1, dtype)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[ARTIST] = "A. Painter"
    image = pillow(pixels)
    response = client.upscale(write(image, "PNG", exif=exif))
    image.getexif()[ORIENTATION] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))[:, :, None]
    assert np.array_equal(read_png(response.image), enlarged(upright))
    kept = Image.open(BytesIO(response.image)).getexif()
    assert ORIENTATION not in kept
    assert kept[ARTIST] == "A. Painter"
    assert (response.input.height, response.input.width) == upright.shape[:2]


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    "target", [ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.TIFF]
)
def test_profile_and_exif_are_kept(
    client: UpscalerClient, source: str, target: ImageFormat
) -> None:
    exif = Image.Exif()
    exif[ARTIST] = "A. Painter"
    exif.get_ifd(0x8769)[0x9003] = "2024:01:02 03:04:05"
    data = write(pillow(checker(3)), source, exif=exif.tobytes(), icc_profile=SRGB)
    result = Image.open(BytesIO(client.upscale(data, format=target).image))
    assert result.info["icc_profile"] == SRGB
    assert result.getexif()[ARTIST] == "A. Painter"
    assert result.getexif().get_ifd(0x8769)[0x9003] == "2024:01:02 03:04:05"
    assert result.size == (36, 24)


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6">
<tiff:Orientation>3</tiff:Orientation><dc:creator>A. Painter</dc:creator>
</rdf:Description></x:xmpmeta>"""


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    "target", [ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.TIFF]
)
def test_xmp_is_kept_but_for_orientation(
    client: UpscalerClient, source: str, target: ImageFormat
) -> None:
    if source == "PNG":
        chunks = PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", XMP.decode())
        data = write(pillow(checker(3)), source, pnginfo=chunks)
    elif source == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[700] = XMP
        data = write(pillow(checker(3)), source, tiffinfo=tags)
    else:
        data = write(pillow(checker(3)), source, xmp=XMP)
    result = Image.open(BytesIO(client.upscale(data, format=target).image))
    kept = XMP.replace(b'="6"', b'="1"').replace(b">3<", b">1<")
    assert result.info["xmp"].rstrip(b"\0") == kept


def test_xmp_that_a_jpeg_cannot_hold_is_dropped(client: UpscalerClient) -> None:
    data = write(pillow(checker(3)), "WEBP", xmp=b"x" * 70_000)
    response = client.upscale(data, format=ImageFormat.JPEG)
    assert "xmp" not in Image.open(BytesIO(response.image)).info


def test_gamma_of_a_png_is_kept(client: UpscalerClient) -> None:
    plain = write(pillow(checker(3)), "PNG")
    gamma = struct.pack(">I4sI", 4, b"gAMA", 100_000)
    after_header = 8 + 25
    data = plain[:after_header] + gamma + struct.pack(">I", zlib.crc32(gamma[4:]))
    data += plain[after_header:]
    result = Image.open(BytesIO(client.upscale(data).image))
    assert result.info["gamma"] == 1.0


def test_a_profile_for_other_channels_is_dropped(client: UpscalerClient) -> None:
    data = write(pillow(checker(1)), "PNG", icc_profile=SRGB)
    result = Image.open(BytesIO(client.upscale(data).image))
    assert "icc_profile" not in result.info


def density(file: bytes) -> list[int]:
    image = Image.open(BytesIO(file))
    exif = image.getexif()
    if "dpi" in image.info:
        # No second place may tell anything else.
        assert image.format == "TIFF" or ExifTags.Base.XResolution not in exif
        return [round(float(dpi)) for dpi in image.info["dpi"]]
    assert exif[ExifTags.Base.ResolutionUnit] == 2
    return [round(float(exif[tag])) for tag in (0x011A, 0x011B)]


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("target", [*ImageFormat])
def test_resolution_is_kept(client: UpscalerClient, source: str, target: ImageFormat) -> None:
    if source == "WEBP":
        exif = Image.Exif()
        exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = 300, 150
        data = write(pillow(checker(3)), source, exif=exif)
    else:
        data = write(pillow(checker(3)), source, dpi=(300, 150))
    assert density(client.upscale(data, format=target).image) == [300, 150]


@pytest.mark.parametrize("target", [*ImageFormat])
def test_resolution_in_exif_turns_with_the_picture(
    client: UpscalerClient, target: ImageFormat
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = 300, 150
    data = write(pillow(checker(3)), "WEBP", exif=exif)
    assert density(client.upscale(data, format=target).image) == [150, 300]


def test_resolution_turns_with_the_picture(client: UpscalerClient) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = write(pillow(checker(3)), "PNG", dpi=(300, 150), exif=exif)
    result = Image.open(BytesIO(client.upscale(data).image))
    assert [round(dpi) for dpi in result.info["dpi"]] == [150, 300]


def test_a_tiff_may_count_in_centimetres(client: UpscalerClient) -> None:
    data = write(pillow(checker(3)), "TIFF", x_resolution=100, y_resolution=50, resolution_unit=3)
    result = Image.open(BytesIO(client.upscale(data, format=ImageFormat.PNG).image))
    assert [round(dpi) for dpi in result.info["dpi"]] == [254, 127]


def test_exif_may_come_after_the_pixels(client: UpscalerClient) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 2
    exif[ARTIST] = "A. Painter"
    data = write(pillow(checker(3)), "PNG", exif=exif)
    start = data.index(b"eXIf") - 4
    stop = start + 12 + int.from_bytes(data[start : start + 4], "big")
    end = data.index(b"IEND") - 4
    moved = data[:start] + data[stop:end] + data[start:stop] + data[end:]
    response = client.upscale(moved)
    assert np.array_equal(read_png(response.image), enlarged(checker(3)[:, ::-1]))
    assert Image.open(BytesIO(response.image)).getexif()[ARTIST] == "A. Painter"


def test_a_bigtiff_is_read_with_its_tags(client: UpscalerClient) -> None:
    file = BytesIO()
    tags = [(int(ExifTags.Base.Orientation), 3, 1, 6, True)]
    tifffile.imwrite(
        file,
        checker(3),
        photometric="rgb",
        bigtiff=True,
        resolution=(300, 150),
        resolutionunit="INCH",
        software="a camera",
        extratags=tags,
    )
    response = client.upscale(file.getvalue(), format=ImageFormat.PNG)
    assert np.array_equal(read_png(response.image), enlarged(np.rot90(checker(3), -1)))
    result = Image.open(BytesIO(response.image))
    assert [round(dpi) for dpi in result.info["dpi"]] == [150, 300]
    assert result.getexif()[ExifTags.Base.Software] == "a camera"


@pytest.mark.parametrize("target", [each for each in ImageFormat if each is not ImageFormat.BMP])
@pytest.mark.parametrize(
    "resolution",
    [(0, 0), (0, 1), (1, 0), (2**32 - 1, 1), (1, 2**32 - 1)],
    ids=["0:0", "0", "infinite", "huge", "tiny"],
)
def test_a_resolution_that_is_none_is_not_kept(
    client: UpscalerClient, resolution: tuple[int, int], target: ImageFormat
) -> None:
    told = TiffImagePlugin.IFDRational(*resolution)
    tags = {ExifTags.Base.XResolution: told, ExifTags.Base.YResolution: told}
    data = write(pillow(checker(3)), "TIFF", tiffinfo=tags)
    assert struct.pack("<II", *resolution) in data
    result = client.upscale(data, format=target).image
    assert decode(result, 10**6).metadata.dpi is None


def test_a_density_that_a_jpeg_cannot_hold_is_dropped(client: UpscalerClient) -> None:
    data = write(pillow(checker(3)), "PNG", dpi=(254_000, 254_000))
    kept = Image.open(BytesIO(client.upscale(data).image))
    assert [round(dpi) for dpi in kept.info["dpi"]] == [254_000, 254_000]
    response = client.upscale(data, format=ImageFormat.JPEG)
    assert "dpi" not in Image.open(BytesIO(response.image)).info


def test_no_resolution_is_made_up(client: UpscalerClient) -> None:
    exif = Image.Exif()
    exif[ARTIST] = "A. Painter"
    result = client.upscale(write(pillow(checker(3)), "JPEG", exif=exif)).image
    assert decode(result, 10**6).metadata.dpi is None


@pytest.mark.parametrize("source", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("tag", [ExifTags.Base.MakerNote, ExifTags.Base.UserComment])
def test_of_exif_that_a_jpeg_cannot_hold_what_fits_is_kept(
    client: UpscalerClient, source: str, tag: ExifTags.Base
) -> None:
    exif = Image.Exif()
    exif[ARTIST] = "A. Painter"
    exif.get_ifd(ExifTags.IFD.Exif)[tag] = b"x" * 2**16
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.8
    data = write(pillow(checker(3)), source, exif=exif.tobytes())
    kept = Image.open(BytesIO(client.upscale(data, format=ImageFormat.JPEG).image)).getexif()
    if tag is ExifTags.Base.MakerNote:
        assert kept[ARTIST] == "A. Painter"
        assert kept.get_ifd(ExifTags.IFD.Exif) == {ExifTags.Base.FNumber: 2.8}
    else:
        assert len(kept) == 0


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("others", [{}, {ExifTags.Base.FNumber: 2.8}], ids=["alone", "among"])
def test_the_size_of_the_input_is_not_told_of_the_result(
    client: UpscalerClient, source: str, others: dict[int, float]
) -> None:
    told: dict[int, float] = {
        **others,
        ExifTags.Base.ExifImageWidth: 9,
        ExifTags.Base.ExifImageHeight: 6,
    }
    exif = Image.Exif()
    exif[ARTIST] = "A. Painter"
    if source != "TIFF":
        exif[ExifTags.Base.ImageWidth], exif[ExifTags.Base.ImageLength] = 9, 6
    exif.get_ifd(ExifTags.IFD.Exif).update(told)
    data = write(pillow(checker(3)), source, exif=exif.tobytes())
    assert Image.open(BytesIO(data)).getexif().get_ifd(ExifTags.IFD.Exif) == told
    result = client.upscale(data, format=ImageFormat.PNG).image
    kept = Image.open(BytesIO(result)).getexif()
    assert kept.get_ifd(ExifTags.IFD.Exif) == others
    assert set(kept) == {ARTIST, *([ExifTags.IFD.Exif] if others else [])}


@pytest.mark.parametrize("target", [*ImageFormat])
@pytest.mark.parametrize(
    "tag",
    [
        (ExifTags.Base.Artist, 12, 1, struct.pack("<d", 1.5)),
        (ExifTags.Base.Orientation, 2, 4, b"six\0"),
        (ExifTags.Base.XResolution, 2, 4, b"six\0"),
        (ExifTags.Base.ImageWidth, 11, 2, bytes(8)),
        (ExifTags.Base.PlanarConfiguration, 3, 1, b"\0\0\0\0"),
        (ExifTags.Base.SampleFormat, 3, 1, b"\3\0\0\0"),
        (ExifTags.Base.TileOffsets, 4, 1, b"\1\0\0\0"),
        (ExifTags.IFD.Exif, 4, 1, b"\xff\xff\xff\xff"),
        (ExifTags.IFD.Exif, 12, 1, bytes(8)),
    ],
    ids=lambda tag: f"{tag[0].name}-{tag[1]}",
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_strange_exif_is_no_damage_and_does_none(
    client: UpscalerClient, target: ImageFormat, tag: tuple[int, int, int, bytes]
) -> None:
    number, kind, count, content = tag
    at_end = 8 + 2 + 12 + 4
    place = content if len(content) == 4 else struct.pack("<I", at_end)
    block = struct.pack("<2sHIHHHI4sI", b"II", 42, 8, 1, number, kind, count, place, 0) + content
    response = client.upscale(write(pillow(checker(3)), "PNG", exif=block), format=target)
    pixels = decode(response.image, 10**6).strips.whole()
    assert np.abs(pixels[:, :, :3].astype(int) - enlarged(checker(3))).mean() < 20
    Image.open(BytesIO(response.image)).load()
