"""Where training pictures come from."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from core.command import UserError
from srgan import sources
from srgan.sources import NAMED_SOURCES, list_pictures, training_pictures
from tests.srgan.web import Web, serving


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return [folder / name for name in names]


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("DIV2K_train_HR/", "")
        for name, content in files.items():
            archive.writestr(f"DIV2K_train_HR/{name}.png", content)
        archive.writestr("DIV2K_train_HR/readme.txt", "not a picture")
        archive.writestr("../../outside.png", "must stay inside")
    return buffer.getvalue()


FILES = {f"000{n}": bytes([n]) * 1000 for n in range(1, 4)}


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A div2k of three pictures, and one that tries to leave its folder, on a local server."""
    with serving(Web(packed(**FILES))) as web:
        small = replace(NAMED_SOURCES["div2k"], remote=web.remote, pictures=3)
        monkeypatch.setattr(sources, "NAMED_SOURCES", MappingProxyType({"div2k": small}))
        yield web


def test_pictures_of_a_folder_are_found_at_any_depth_in_order(tmp_path: Path) -> None:
    wanted = touch(tmp_path, "a.png", "b.JPG", "c/d/e.webp", "f.tiff", "g.bmp", "h.jpeg", "i.tif")
    touch(tmp_path, "notes.txt", "j.gif", "c/k.png.part", "png")
    (tmp_path / "folder.png").mkdir()
    assert list_pictures(tmp_path) == wanted


def test_several_folders_are_taken_in_the_order_named(tmp_path: Path) -> None:
    second, first = touch(tmp_path / "b", "1.png")[0], touch(tmp_path / "a", "2.png")[0]
    data = f"{tmp_path / 'b'},{tmp_path / 'a'}"
    assert training_pictures(data, tmp_path / "data") == [second, first]


@pytest.mark.parametrize("place", ["DIV2K_train_HR", "DIV2K/DIV2K_train_HR"])
def test_div2k_is_found_where_it_lies_without_a_download(place: str, tmp_path: Path) -> None:
    wanted = touch(tmp_path / place, *(f"{n:04}.png" for n in range(1, 801)))
    assert training_pictures("div2k", tmp_path) == wanted


def test_div2k_is_fetched_and_unpacked_once(web: Web, tmp_path: Path) -> None:
    for _ in range(2):
        pictures = training_pictures("div2k", tmp_path / "data")
        assert len(web.asked) == 1
    folder = tmp_path / "data" / "DIV2K_train_HR"
    assert {p.parent for p in pictures} == {folder}
    assert {p.stem: p.read_bytes() for p in pictures if p.stem in FILES} == FILES
    assert not list(folder.glob("*.txt"))
    assert not (tmp_path / "outside.png").exists()


def test_a_zip_put_there_by_hand_is_unpacked_without_a_download(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(web.content)
    assert len(training_pictures("div2k", tmp_path)) >= 3
    assert web.asked == []


def test_unpacking_that_breaks_off_leaves_no_folder(
    web: Web,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        with pytest.raises(KeyboardInterrupt):
            training_pictures("div2k", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["file.zip"]
    assert len(training_pictures("div2k", tmp_path)) >= 3


def test_an_empty_folder_of_that_name_is_no_hindrance(web: Web, tmp_path: Path) -> None:
    (tmp_path / "DIV2K_train_HR").mkdir()
    assert len(training_pictures("div2k", tmp_path)) >= 3
    assert len(web.asked) == 1


def test_a_part_of_div2k_is_neither_used_nor_overwritten(web: Web, tmp_path: Path) -> None:
    touch(tmp_path / "DIV2K_train_HR", "0001.png")
    with pytest.raises(UserError, match="holds 1 pictures, div2k has 3"):
        training_pictures("div2k", tmp_path)
    assert web.asked == []
    assert [p.name for p in tmp_path.rglob("*.png")] == ["0001.png"]


def test_without_a_network_the_user_is_told_what_to_do(web: Web, tmp_path: Path) -> None:
    web.status = 404
    with pytest.raises(UserError) as refusal:
        training_pictures("div2k", tmp_path)
    sentence = str(refusal.value)
    assert str(tmp_path / "DIV2K_train_HR") in sentence
    assert "file.zip" in sentence
    assert "--data FOLDER" in sentence


def test_an_unknown_name_is_answered_with_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="div2k or a folder; 'flickr2k' is neither"):
        training_pictures("flickr2k", tmp_path)


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt")
    with pytest.raises(UserError, match=f"{tmp_path} holds no pictures"):
        training_pictures(str(tmp_path), tmp_path)
    with pytest.raises(UserError, match="absent is not a folder"):
        list_pictures(tmp_path / "absent")
