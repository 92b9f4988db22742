import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from serving.cli.inputs import Found, find


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(named: Sequence[str], without: Path | None = None) -> list[Found]:
    pictures, absent = find(named, without)
    assert not absent
    return pictures


def names(named: Sequence[str], without: Path | None = None) -> list[str]:
    return [picture.path.as_posix() for picture in found(named, without)]


def test_a_folder_is_searched_to_the_bottom_for_what_is_called_like_a_picture() -> None:
    make("photos/a.png", "photos/deep/er/b.JPG", "photos/notes.txt", "photos/.hidden.png")
    make("photos/.git/c.png")
    assert found(["photos"]) == [
        Found(Path("photos/a.png"), Path("a.png"), Path("photos")),
        Found(Path("photos/deep/er/b.JPG"), Path("deep/er/b.JPG"), Path("photos")),
    ]


def test_a_file_is_taken_whatever_it_is_called() -> None:
    make("scan.001")
    assert found(["scan.001"]) == [Found(Path("scan.001"), Path("scan.001"))]


def test_a_pattern_is_expanded_where_the_shell_has_not_done_it() -> None:
    make("photos/a.png", "photos/b.jpg", "photos/notes.txt", "photos/deep/c.png")
    assert names(["photos/*"]) == ["photos/a.png", "photos/b.jpg"]
    assert names(["*/?.png"]) == ["photos/a.png"]
    assert found(["photos/**/*.png"])[1] == Found(Path("photos/deep/c.png"), Path("deep/c.png"))


def test_a_pattern_may_be_absolute(here: Path) -> None:
    make("photos/a.png")
    assert found([str(here / "*" / "a.png")]) == [
        Found(here / "photos" / "a.png", Path("photos/a.png"))
    ]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file() -> None:
    make("a[1].png", "a1.png")
    assert names(["a[1].png"]) == ["a[1].png"]


def test_a_picture_that_is_named_twice_is_one() -> None:
    make("photos/a.png")
    assert names(["photos", "photos/a.png", "photos/*.png"]) == ["photos/a.png"]


@pytest.mark.parametrize("named", ["photos", "photos/**/*.png"])
def test_results_inside_the_folder_are_not_taken_as_pictures(named: str) -> None:
    make("photos/a.png", "photos/large/a.png")
    assert names([named], without=Path("photos/large")) == ["photos/a.png"]


def test_neither_are_those_of_a_folder_beside() -> None:
    make("all/photos/a.png", "all/photos_x4/a.png", "all/others_x4/b.png")
    assert names(["all"]) == ["all/others_x4/b.png", "all/photos/a.png"]
    assert names(["all/photos_x4"]) == ["all/photos_x4/a.png"]


@pytest.mark.parametrize("named", ["photos/**", "**", "photos/**/*"])
def test_two_stars_at_the_end_are_all_that_is_below(named: str) -> None:
    make("photos/a.png", "photos/deep/er/b.png")
    assert names([named]) == ["photos/a.png", "photos/deep/er/b.png"]


@pytest.mark.parametrize("named", ["photos", "photos/**/*.png"])
def test_links_to_folders_are_followed_and_none_in_circles(named: str, here: Path) -> None:
    make("photos/a.png", "photos/deep/b.png", "elsewhere/c.png")
    Path("photos/link").symlink_to(here / "elsewhere")
    Path("elsewhere/back").symlink_to(here / "photos")
    Path("photos/deep/up").symlink_to("..")
    Path("photos/again").symlink_to("deep")
    assert names([named]) == ["photos/a.png", "photos/deep/b.png", "photos/link/c.png"]


@pytest.mark.parametrize("name", ["none.png", "none", "none/*.png", "none/**", "empty"])
def test_a_name_that_leads_to_nothing_keeps_no_other_from_being_found(name: str) -> None:
    make("a.png")
    Path("empty").mkdir()
    pictures, absent = find([name, "a.png"])
    assert [picture.path for picture in pictures] == [Path("a.png")]
    assert [each.name for each in absent] == [name]
    assert str(absent[0].error).startswith("image is absent; expected a f")


def test_folders_of_results_are_not_taken_where_a_pattern_names_them_too() -> None:
    make("one/a.png", "one_x4/a.png", "two_x2/b.png")
    assert names(["one/", "one_x4/", "two_x2/"]) == ["one/a.png", "two_x2/b.png"]
    assert names(["one_x4"]) == ["one_x4/a.png"]


def test_of_a_picture_and_a_link_to_it_the_picture_is_taken() -> None:
    make("photos/z.png")
    Path("photos/a.png").symlink_to("z.png")
    assert names(["photos"]) == ["photos/z.png"]


def test_a_folder_that_may_not_be_read_is_told_and_keeps_no_other_from_being_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make("photos/a.png", "photos/closed/b.png")
    walk = os.walk

    def barred(top: Path, onerror: Callable[[OSError], None]) -> Iterator[object]:
        for folder, below, files in walk(top):
            if folder.endswith("closed"):
                onerror(PermissionError(errno.EACCES, "Permission denied", folder))
                continue
            yield folder, below, files

    monkeypatch.setattr(os, "walk", barred)
    pictures, absent = find(["photos"])
    assert [each.path.as_posix() for each in pictures] == ["photos/a.png"]
    assert [each.name for each in absent] == ["photos/closed"]
    assert str(absent[0].error) == "image is closed; expected a folder that may be read"
