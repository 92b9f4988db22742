from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving import cli
from serving.load.queue import PixelQueue
from serving.priority import Priority
from tests.serving.files import checker, enlarged, read


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
        (["--width", 30], "photo_w30.png", (30, 20)),
        (["--width", 30, "--height", 25], "photo_w30_h25.png", (30, 25)),
        (["--max-height", 12], "photo_x4_maxh12.png", (18, 12)),
    ],
)
def test_the_name_tells_the_size_that_was_asked_for(
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
    assert run(photo, "-o", output, "--server", address) == 0
    assert Image.open(output).format == format


def test_a_lossless_file_can_be_small(photo: Path, address: str) -> None:
    fast, small = photo.with_name("fast.png"), photo.with_name("small.png")
    assert run(photo, "-o", fast, "--server", address) == 0
    assert run(photo, "-o", small, "--server", address, "--compression", "small") == 0
    assert small.stat().st_size < fast.stat().st_size


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "image is not given"),
        (["none.png"], "none.png: image is absent; expected a file that exists"),
        (["none/*.png"], "none/*.png: image is absent; expected a folder or pattern with pictures"),
        ([""], "image is an empty word; expected a file, a folder, a pattern or -"),
        (["photo.png", ""], "image is an empty word; expected"),
        (["photo.png", "-o", ""], "output is an empty word; expected a file, a folder or -"),
        (["-", "photo.png"], "image is -; expected no other pictures beside it"),
        (["photo.png", "-o", "out.png", "--format", "jpg"], "format is given; expected none"),
        (["photo.png", "-o", "-", "--json"], "json is given; expected an output other than"),
        (["photo.png", "-o", "-", "--compare"], "compare is given; expected an output other"),
        (["photo.png", "-o", "out.gif"], "out.gif; expected a name that ends in one of .png"),
        (["photo.png", "-o", "none/out.png"], "expected a folder that exists"),
        (["photo.png", "-o", "o.jpg", "--quality", "101"], "is 101; expected 1 to 100"),
        (["photo.png", "-o", "o.png", "--quality", "50"], "quality is 50; expected it only for"),
        (["photo.png", "--format", "bmp", "--quality", "50"], "quality is 50; expected it only"),
        (["photo.png", "--quality", "50"], "quality is 50; expected it only for results in JPEG"),
        (["photo.png", "--timeout-s", "0"], "timeout_s is 0.0; expected a number of seconds"),
        (["photo.png", "--timeout-s", "nan"], "timeout_s is nan; expected a number of seconds"),
        (["photo.png", "--scale", "20"], "options.scale is 20; expected 1 to 16"),
        (["photo.png", "--model", "x9"], "model is 'x9'; expected one of: "),
        (["text.png"], "text.png: image is not readable"),
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


@pytest.mark.parametrize(
    ("option", "expected"),
    [("scale", "a number"), ("tile", "a whole number"), ("timeout-s", "a number")],
)
def test_a_value_of_another_kind_is_one_sentence(
    photo: Path, option: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(photo, f"--{option}", "wide")
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert f"Error parsing --{option}: it is 'wide'; expected {expected} " in told
    assert "NoneType" not in told


def test_the_help_calls_values_by_their_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    told = capsys.readouterr().out
    for shown in ("--quality INT", "--scale FLOAT", "--ca PATH", "--priority {low,normal,high}"):
        assert shown in told
    assert "{None" not in told
    assert "(default: )" not in told


def test_the_version_is_that_of_the_installed_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"upscale {version('srgan-service')}\n"


def test_a_result_that_takes_too_long_is_told_by_the_option(
    photo: Path, server: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--timeout-s", 1e-6, *server) == 1
    assert "the result took longer than the option --timeout-s allows" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["models", "tile", "threads"])
def test_what_a_server_inside_is_told_cannot_be_told_one_elsewhere(
    photo: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--server", "localhost:1", f"--{option}", 32) == 2
    assert f"{option} is given; expected it only without server" in capsys.readouterr().err


def test_tiles_and_threads_are_those_of_the_server_inside(
    photo: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = ["--models", models, "--model", "nearest"]
    assert run(photo, "--tile", 16, "--threads", 1, *inside) == 0
    assert run(photo, "--tile", 8, *inside) == 2
    assert "tile is 8; expected 16 to 8192" in capsys.readouterr().err
    assert run(photo, "--threads", 0, *inside) == 2
    assert "threads is 0; expected 1 to 1024" in capsys.readouterr().err


def test_what_computes_can_be_chosen_for_a_server_inside(
    photo: Path, models: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = ["--models", models, "--model", "nearest"]
    assert run(photo, "--provider", "cpu", *inside) == 0
    assert run(photo, "--provider", "directml", *inside) == 2
    assert "provider is directml; expected one that the installed" in capsys.readouterr().err
    assert run(photo, "--provider", "cpu", "--server", address) == 2
    assert "provider is given; expected it only without server" in capsys.readouterr().err


def test_a_server_elsewhere_is_told_how_urgent_it_is(
    photo: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    place = PixelQueue.place

    def asked_for(queue: PixelQueue, cost: int, client: str, priority: Priority) -> object:
        asked.append(priority)
        return place(queue, cost, client, priority)

    monkeypatch.setattr(PixelQueue, "place", asked_for)
    for options in ([], ["--priority", "low"], ["--priority", "high"]):
        assert run(photo, *options, "--server", address) == 0
    assert asked == [Priority.NORMAL, Priority.LOW, Priority.HIGH]


def test_nobody_else_asks_a_server_inside(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--priority", "low") == 2
    assert "priority is given; expected it only with server" in capsys.readouterr().err


def test_an_absent_server_is_exit_code_1(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--server", "127.0.0.1:1") == 1
    told = capsys.readouterr().err
    assert told.startswith("upscale: error: the server cannot be reached: ")
    assert "127.0.0.1:1" in told
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
