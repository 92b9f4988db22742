from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving import cli
from tests.serving.files import checker, enlarged, read, write_png


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(write_png(checker(3)))
    return path


@pytest.fixture(params=["inside", "elsewhere"])
def server(request: pytest.FixtureRequest, models: Path, address: str) -> list[str]:
    """Options for a server inside the process, and for a running one."""
    if request.param == "elsewhere":
        return ["--server", address]
    return ["--models", str(models), "--model", "nearest"]


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_the_result_is_written_and_told(
    photo: Path, server: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output = photo.with_name("large.tif")
    assert run(photo, "-o", output, *server) == 0
    assert np.array_equal(read(output.read_bytes()), enlarged(checker(3)))
    assert capsys.readouterr().out.startswith(f"{output}: 36x24 by nearest in ")


def test_the_default_output_is_named_after_the_input(photo: Path, server: list[str]) -> None:
    assert run(photo, *server) == 0
    result = photo.with_name("photo_x4.png")
    assert np.array_equal(read(result.read_bytes()), enlarged(checker(3)))


@pytest.mark.parametrize(
    ("options", "name", "size"),
    [
        (["--scale", 2.5], "photo_x2.5.png", (22, 15)),
        (["--width", 30], "photo_30x20.png", (30, 20)),
        (["--max-height", 12], "photo_18x12.png", (18, 12)),
    ],
)
def test_the_name_tells_the_size(
    photo: Path, server: list[str], options: list[object], name: str, size: tuple[int, int]
) -> None:
    assert run(photo, *options, *server) == 0
    with Image.open(photo.with_name(name)) as image:
        assert image.size == size


@pytest.mark.parametrize(
    ("suffix", "format"),
    [
        ("png", "PNG"),
        ("jpg", "JPEG"),
        ("JPEG", "JPEG"),
        ("webp", "WEBP"),
        ("tiff", "TIFF"),
        ("bmp", "BMP"),
    ],
)
def test_the_suffix_tells_the_format(photo: Path, address: str, suffix: str, format: str) -> None:
    output = photo.with_name(f"out.{suffix}")
    assert run(photo, "-o", output, "--server", address, "--quality", 80) == 0
    assert Image.open(output).format == format


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["none.png"], "none.png; expected a file that exists"),
        (["photo.png", "-o", "out.gif"], "out.gif; expected a name that ends in one of .png"),
        (["photo.png", "-o", "none/out.png"], "expected a folder that exists"),
        (["photo.png", "-o", "o.jpg", "--quality", "101"], "is 101; expected 1 to 100"),
        (["photo.png", "--scale", "20"], "options.scale is 20; expected 1 to 16"),
        (["photo.png", "--model", "x9"], "model is 'x9'; expected one of: "),
        (["text.png"], "image is not readable"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    photo: Path,
    server: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    photo.with_name("text.png").write_text("not an image")
    # An option may be given only once.
    options = server[:2] if "--model" in arguments else server
    assert run(*arguments, *options) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert complaint in captured.err
    assert captured.err.startswith("upscale: error: ")
    assert captured.err.count("\n") == 1
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png", "text.png"]


def test_unknown_options_are_exit_code_2(photo: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run(photo, "--sharpness", 3)
    assert caught.value.code == 2


def test_models_belong_to_a_server_inside(photo: Path, models: Path) -> None:
    assert run(photo, "--server", "localhost:1", "--models", models) == 2


def test_an_absent_server_is_exit_code_1(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--server", "127.0.0.1:1") == 1
    assert capsys.readouterr().err.startswith("upscale: error: failed to connect")
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_a_failed_write_leaves_the_old_file(
    photo: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = photo.with_name("out.png")
    output.write_bytes(b"old")

    def full_disk(*_: Path) -> Path:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    assert run(photo, "-o", output, "--server", address) == 1
    monkeypatch.undo()
    assert output.read_bytes() == b"old"
    assert sorted(path.name for path in photo.parent.iterdir()) == ["out.png", "photo.png"]
