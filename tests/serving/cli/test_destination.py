import os
from pathlib import Path

import pytest

from serving.cli.destination import Beside, Destination, File, Folder, destination
from serving.cli.errors import WrongUse
from serving.cli.inputs import Found
from serving.codec.formats import ImageFormat

ALONE = Found(Path("in/cat.JPG"), Path("cat.JPG"))
IN_FOLDER = Found(Path("in/deep/cat.JPG"), Path("deep/cat.JPG"), Path("in"))


@pytest.mark.parametrize(
    ("to", "picture", "expected"),
    [
        (Beside(), ALONE, "in/cat_x4.JPG"),
        (Beside(), IN_FOLDER, "in_x4/deep/cat.JPG"),
        (Folder(Path("out")), ALONE, "out/cat.JPG"),
        (Folder(Path("out")), IN_FOLDER, "out/deep/cat.JPG"),
        (File(Path("out.png")), ALONE, "out.png"),
    ],
)
def test_results_go_where_the_option_says_and_keep_their_format(
    to: Destination, picture: Found, expected: str
) -> None:
    assert to.of(picture, "_x4", None) == Path(expected)


def test_another_format_has_its_own_suffix() -> None:
    assert Beside().of(ALONE, "_x4", ImageFormat.WEBP) == Path("in/cat_x4.webp")
    assert Beside().of(ALONE, "_x4", ImageFormat.JPEG) == Path("in/cat_x4.JPG")


def test_a_name_that_tells_no_format_is_kept_whole() -> None:
    scan = Found(Path("scan.001"), Path("scan.001"))
    assert Folder(Path("out")).of(scan, "_x4", None) == Path("out/scan.001.png")


def test_the_folder_one_is_in_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = Found(Path("cat.png"), Path("cat.png"), Path())
    assert Beside().of(here, "_x4", None) == Path(f"{tmp_path}_x4") / "cat.png"


@pytest.mark.parametrize(
    ("output", "alone", "expected"),
    [
        (None, True, Beside()),
        ("-", True, File(None)),
        ("out.png", True, File(Path("out.png"))),
        ("there", True, Folder(Path("there"))),
        ("new/", True, Folder(Path("new"))),
        ("new", False, Folder(Path("new"))),
        ("there", False, Folder(Path("there"))),
    ],
)
def test_what_an_output_means(
    output: str | None,
    alone: bool,
    expected: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    assert destination(output, alone, None) == expected


@pytest.mark.parametrize(
    ("output", "alone", "allowed"),
    [
        ("out.gif", True, "a name that ends in one of .png"),
        ("none/out.png", True, "a folder that exists"),
        ("out.png", False, "a folder, as there are several pictures"),
        ("there.txt", False, "a folder, as there are several pictures"),
        ("-", False, "a folder, as there are several pictures"),
    ],
)
def test_what_an_output_cannot_be(
    output: str, alone: bool, allowed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.txt").touch()
    with pytest.raises(WrongUse, match=f"output is {output}; expected {allowed}"):
        destination(output, alone, None)


def test_pictures_are_not_thrown_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = os.fdopen(os.openpty()[1], "w")
    monkeypatch.setattr("sys.stdout", terminal)
    with pytest.raises(WrongUse, match="output is a terminal; expected a file or a pipe"):
        destination("-", True, None)
