"""Archives: what is wanted out of a zip or tar, all of it, inside its folder, or nothing."""

import io
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from core.command import UserError
from srgan.archives import extract

FILES = {f"top/wanted/{n}.png": bytes([n]) * 5000 for n in range(3)}
OTHERS = {"top/other/0.png": b"x", "top/wanted/readme.txt": b"x", "../../wanted/3.png": b"up"}


def packed(path: Path, files: Mapping[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("top/wanted/", "")
            for name, content in files.items():
                zipped.writestr(name, content)
        return path
    with tarfile.open(path, "w") as tarred:
        folder = tarfile.TarInfo("top/wanted")
        folder.type = tarfile.DIRTYPE
        link = tarfile.TarInfo("top/wanted/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        for entry in (folder, link):
            tarred.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tarred.addfile(entry, io.BytesIO(content))
    return path


def wanted(path: PurePosixPath) -> bool:
    return path.parent.name == "wanted" and path.suffix == ".png"


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_wanted_files_land_in_the_folder_and_nowhere_else(kind: str, tmp_path: Path) -> None:
    archive = packed(tmp_path / f"a.{kind}", FILES | OTHERS)
    extract(archive, tmp_path / "out", wanted, 4)
    got = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert got == {"0.png": b"\0" * 5000, "1.png": b"\1" * 5000, "2.png": b"\2" * 5000,
                   "3.png": b"up"}  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {archive.name, "out"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_files_is_refused_and_leaves_nothing(
    kind: str, count: int, tmp_path: Path
) -> None:
    archive = packed(tmp_path / f"a.{kind}", FILES)
    with pytest.raises(UserError, match=f"holds 3 of the {count} files of out"):
        extract(archive, tmp_path / "out", wanted, count)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_file_that_is_no_archive_is_named(kind: str, tmp_path: Path) -> None:
    archive = tmp_path / f"a.{kind}"
    archive.write_bytes(b"<html>" * 200)
    with pytest.raises(UserError, match=f"{archive} cannot be unpacked"):
        extract(archive, tmp_path / "out", wanted, 3)
    assert list(tmp_path.iterdir()) == [archive]


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("wanted/0.png", b"0" * 5000)
    content = bytearray(archive.read_bytes())
    content[30 + len("wanted/0.png")] = 0xFF  # no kind of block that there is
    archive.write_bytes(content)
    with pytest.raises(UserError, match=f"{archive} cannot be unpacked"):
        extract(archive, tmp_path / "out", wanted, 1)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_unpacking_that_breaks_off_leaves_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path / f"a.{kind}", FILES)

    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", interrupted)
        with pytest.raises(KeyboardInterrupt):
            extract(archive, tmp_path / "out", wanted, 3)
    assert list(tmp_path.iterdir()) == [archive]
    extract(archive, tmp_path / "out", wanted, 3)
