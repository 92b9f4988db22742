import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.serving.cli.conftest import Upscale
from tests.serving.files import checker, write_png

Out = pytest.CaptureFixture[str]


@pytest.fixture
def info(address: str) -> Upscale:
    from serving import cli

    return lambda *arguments: cli.main(["info", *map(str, arguments), "--server", address])


def test_a_picture_is_described(photo: Path, info: Upscale, capsys: Out) -> None:
    image = Image.fromarray(checker(3))
    exif = Image.Exif()
    exif[0x0112] = 6  # EXIF: turn it by a quarter
    exif[0x010F] = "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = photo.with_name("turned.png")
    image.save(path, "JPEG", exif=exif, icc_profile=profile, dpi=(72, 72))
    assert info(path) == 0
    shown = capsys.readouterr().out
    for words in (
        "JPEG, ",
        "6x9, 0.0 megapixels, turned as EXIF says (6)",
        "RGB, 8 bits a sample",
        "sRGB built-in",
        "72x72 dpi",
        "EXIF",
    ):
        assert words in shown


def test_it_says_what_each_model_would_make_of_it(photo: Path, info: Upscale, capsys: Out) -> None:
    photo.write_bytes(write_png(checker(4, np.uint16)))
    assert info(photo, "--json", "--width", 30) == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["mode"], line["bit_depth"], line["profile"]) == ("RGB and alpha", 16, "")
    assert line["results"]["nearest"] == {"width": 30, "height": 20, "bit_depth": 16}
    assert info(photo, "--width", 1000) == 0
    assert "expected at most 144, 16 times the image's" in capsys.readouterr().out


def test_what_is_no_picture_is_one_sentence_and_the_rest_is_described(
    photos: Path, info: Upscale, capsys: Out
) -> None:
    (photos / "fake.jpg").write_text("not an image")
    assert info(photos) == 2
    captured = capsys.readouterr()
    assert captured.out.count("bits a sample") == 2
    assert captured.err.startswith(f"upscale: error: {photos / 'fake.jpg'}: image is not readable")
    assert captured.err.count("\n") == 1


def test_programs_get_a_line_for_what_fails_too(photos: Path, info: Upscale, capsys: Out) -> None:
    (photos / "fake.jpg").write_text("not an image")
    assert info("none.png", photos, "--json") == 2
    captured = capsys.readouterr()
    lines = list(map(json.loads, captured.out.splitlines()))
    assert [Path(line["source"]).name for line in lines] == [
        "none.png",
        "a.png",
        "fake.jpg",
        "b.png",
    ]
    failed = [line for line in lines if line.get("status") == "failed"]
    assert [line["reason"].partition(" (")[0] for line in failed] == [
        "image is absent; expected a file that exists, a folder or a pattern",
        "image is not readable",
    ]
    assert captured.err == ""


def test_something_must_be_named(info: Upscale, capsys: Out) -> None:
    assert info() == 2
    assert "image is not given" in capsys.readouterr().err
    assert info("") == 2
    assert "image is an empty word" in capsys.readouterr().err
