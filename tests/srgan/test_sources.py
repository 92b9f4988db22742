"""Where training pictures come from."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from core.command import UserError
from srgan import sources
from srgan.sources import NAMED_SOURCES, check_outside, list_pictures, training_pictures
from tests.srgan.web import Web, serving


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return [folder / name for name in names]


FILES = {f"000{n}": bytes([n]) * 1000 for n in range(1, 4)}


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("DIV2K_train_HR/", "")
        for name, content in FILES.items():
            archive.writestr(f"DIV2K_train_HR/{name}.png", content)
        archive.writestr("DIV2K_train_HR/readme.txt", "not a picture")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("Flickr2K_HR", "Flickr2K_LR_bicubic/X4"):
            for name, content in FILES.items():
                entry = tarfile.TarInfo(f"Flickr2K/{folder}/{name}.png")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture(params=["div2k", "flickr2k"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def web(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The data set, three pictures of it, on a local server."""
    content = Web(zipped()) if name == "div2k" else Web(tarred(), "file.tar")
    with serving(content) as web:
        remote = web.remote
        if NAMED_SOURCES[name].remote.size is None:
            md5 = hashlib.md5(web.content, usedforsecurity=False).hexdigest()
            remote = replace(remote, size=None, digest=md5, algorithm="md5")
        small = replace(NAMED_SOURCES[name], remote=remote, pictures=3)
        monkeypatch.setattr(sources, "NAMED_SOURCES", MappingProxyType({name: small}))
        yield web


@pytest.fixture
def folder(name: str) -> str:
    return {"div2k": "DIV2K_train_HR", "flickr2k": "Flickr2K_HR"}[name]


def found(data: str, data_dir: Path, scale: int = 4) -> list[Path]:
    """The pictures, none of which brings a twin."""
    files = training_pictures(data, data_dir, scale)
    assert all(file.lr is None for file in files)
    return [file.hr for file in files]


def test_pictures_of_a_folder_are_found_at_any_depth_in_order(tmp_path: Path) -> None:
    wanted = touch(tmp_path, "a.png", "b.JPG", "c/d/e.webp", "f.tiff", "g.bmp", "h.jpeg", "i.tif")
    touch(tmp_path, "notes.txt", "j.gif", "c/k.png.part", "png")
    (tmp_path / "folder.png").mkdir()
    assert list_pictures(tmp_path) == wanted


def test_links_to_folders_are_followed_and_those_that_lead_back_are_not(tmp_path: Path) -> None:
    (picture,) = touch(tmp_path / "elsewhere", "a.png")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "linked").symlink_to(picture.parent)
    (picture.parent / "back").symlink_to(picture.parent)
    assert list_pictures(folder) == [folder / "linked" / "a.png"]


def test_what_is_hidden_is_no_picture(tmp_path: Path) -> None:
    (seen,) = touch(tmp_path, "a.png", "._a.png", ".a.1.part.png", ".thumbnails/a.png")[:1]
    assert list_pictures(tmp_path) == [seen]


def test_a_picture_that_is_met_twice_is_taken_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = touch(tmp_path / "one", "a.png", "b.png")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    data = f"{tmp_path / 'one'},{tmp_path / 'two'}"
    assert [file.hr for file in training_pictures(data, tmp_path, 4)] == found
    assert "--data has 2 pictures twice" in caplog.text


@pytest.mark.parametrize("data", ["", "photos,"])
def test_a_folder_without_a_name_is_not_the_present_one(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "photos", "a.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="names a folder without a name"):
        training_pictures(data, tmp_path, 4)


def test_nothing_is_written_where_pictures_are_looked_for(tmp_path: Path) -> None:
    touch(tmp_path / "photos", "a.png")
    touch(tmp_path / "pairs", "HR/a.png", "LRx4/a.png")
    data = f"div2k,{tmp_path / 'photos'},{tmp_path / 'pairs'}"
    for place in ("photos", "photos/runs/mine", "pairs/HR/mine"):
        with pytest.raises(UserError, match="is inside --data"):
            check_outside(tmp_path / place, data)
    for place in ("photos2", "pairs/mine", "div2k"):
        check_outside(tmp_path / place, data)
    check_outside(Path("runs"), "photos,")  # of that the listing complains


def test_several_folders_are_taken_in_the_order_named(tmp_path: Path) -> None:
    second, first = touch(tmp_path / "b", "1.png")[0], touch(tmp_path / "a", "2.png")[0]
    data = f"{tmp_path / 'b'},{tmp_path / 'a'}"
    assert found(data, tmp_path / "data") == [second, first]


@pytest.mark.parametrize("place", ["{}", "{set}/{}"])
def test_a_data_set_is_found_where_it_lies_without_a_download(
    place: str, name: str, folder: str, tmp_path: Path
) -> None:
    place = place.format(folder, set=folder.partition("_")[0])
    count = NAMED_SOURCES[name].pictures
    wanted = touch(tmp_path / place, *(f"{n:04}.png" for n in range(1, count + 1)))
    assert found(name, tmp_path) == wanted


def test_it_is_fetched_and_unpacked_once(web: Web, name: str, folder: str, tmp_path: Path) -> None:
    for _ in range(2):
        pictures = found(name, tmp_path / "data")
        assert len(web.asked) == 1
    assert {p.parent for p in pictures} == {tmp_path / "data" / folder}
    assert {p.stem: p.read_bytes() for p in pictures} == FILES
    assert not list((tmp_path / "data" / folder).glob("*.txt"))


def test_two_that_want_it_at_once_fetch_it_once(web: Web, name: str, tmp_path: Path) -> None:
    web.delay = 0.5
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: found(name, tmp_path / "data"), range(2)))
    assert len(web.asked) == 1
    assert both[0] == both[1]
    assert {p.stem: p.read_bytes() for p in both[0]} == FILES


def test_a_broken_download_goes_on_where_it_stopped(
    web: Web, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.breaks_after = [400]
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert len(found(name, tmp_path)) == 3
    assert web.asked == ["bytes=0-", "bytes=400-"]


def test_an_archive_put_there_by_hand_is_unpacked_without_a_download(
    web: Web, name: str, tmp_path: Path
) -> None:
    (tmp_path / web.name).write_bytes(web.content)
    assert len(found(name, tmp_path)) == 3
    assert web.asked == []


def test_an_empty_folder_of_that_name_is_no_hindrance(
    web: Web, name: str, folder: str, tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir()
    assert len(found(name, tmp_path)) == 3
    assert len(web.asked) == 1


def test_a_part_of_it_is_neither_used_nor_overwritten(
    web: Web, name: str, folder: str, tmp_path: Path
) -> None:
    touch(tmp_path / folder, "0001.png")
    with pytest.raises(UserError, match=f"holds 1 pictures, {name} has 3"):
        found(name, tmp_path)
    assert web.asked == []
    assert [p.name for p in tmp_path.rglob("*.png")] == ["0001.png"]


def test_without_a_network_the_user_is_told_what_to_do(
    web: Web, name: str, folder: str, tmp_path: Path
) -> None:
    web.status = 404
    with pytest.raises(UserError) as refusal:
        found(name, tmp_path)
    sentence = str(refusal.value)
    assert f"Put the 3 pictures of {folder} into {tmp_path / folder}" in sentence
    assert f"or {web.name} itself beside it" in sentence
    assert "--data FOLDER" in sentence


def test_names_and_folders_are_combined(web: Web, name: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / web.name).write_bytes(web.content)
    (mine,) = touch(tmp_path / "mine", "1.png")
    pictures = found(f"{name},{tmp_path / 'mine'}", tmp_path / "data")
    assert len(pictures) == 4
    assert pictures[-1] == mine


def test_a_folder_of_pairs_brings_its_twins_at_the_scale_asked_for(tmp_path: Path) -> None:
    large = touch(tmp_path / "set" / "HR", "a.png", "b.png")
    small = touch(tmp_path / "set" / "LRx4", "ax4.png", "b.png")
    touch(tmp_path / "set" / "LRx2", "a.png", "b.png")
    (alone,) = touch(tmp_path / "alone", "c.png")
    files = training_pictures(f"{tmp_path / 'set'},{tmp_path / 'alone'}", tmp_path, 4)
    assert [(file.hr, file.lr) for file in files] == [*zip(large, small, strict=True),
                                                      (alone, None)]  # fmt: skip
    assert found(str(tmp_path / "set" / "HR"), tmp_path) == large
    with pytest.raises(UserError, match=f"set holds HR but no LRx3; name {tmp_path / 'set/HR'}"):
        training_pictures(str(tmp_path / "set"), tmp_path, 3)
    touch(tmp_path / "set" / "HR", "c.png")
    with pytest.raises(UserError, match=f"{tmp_path / 'set/HR/c.png'} has no low-resolution twin"):
        training_pictures(str(tmp_path / "set"), tmp_path, 4)


def test_an_unknown_name_is_answered_with_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="div2k, flickr2k or a folder; 'df2k' is neither"):
        found("df2k", tmp_path)


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt")
    with pytest.raises(UserError, match=f"{tmp_path} holds no pictures"):
        found(str(tmp_path), tmp_path)
    with pytest.raises(UserError, match="absent is not a folder"):
        list_pictures(tmp_path / "absent")
