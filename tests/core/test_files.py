"""Files appear whole or not at all."""

import errno
import logging
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Timer

import pytest

from core.files import appearing, appearing_folder, check_place, locked, remove_unfinished
from tests.programs import start


def test_a_file_appears_when_the_block_ends_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    with appearing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == ".html"
    assert path.read_text() == "whole"
    assert [*path.parent.iterdir()] == [path]


def broken_off(path: Path, begun: bool) -> None:
    with appearing(path) as temporary:
        if begun:
            temporary.write_text("half")
        raise KeyboardInterrupt


@pytest.mark.parametrize("begun", [True, False])
def test_a_block_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, begun: bool) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        broken_off(path, begun)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_an_error_of_that_file(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    with pytest.raises(OSError, match="No space left on device") as failure, appearing(path):
        Path("/dev/full").write_text("whole")
    assert failure.value.filename == str(path)
    assert not [*tmp_path.iterdir()]


def test_the_file_may_be_read_by_whoever_may_read_other_new_files(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    with appearing(tmp_path / "page.html") as temporary:
        temporary.touch(mode=0o600)
    assert (tmp_path / "page.html").stat().st_mode == other.stat().st_mode


def test_a_folder_appears_when_the_block_ends_and_takes_an_empty_ones_place(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    with appearing_folder(folder) as temporary:
        (temporary / "a").write_text("whole")
        assert not [*folder.iterdir()]
    assert (folder / "a").read_text() == "whole"
    assert [*tmp_path.iterdir()] == [folder]


def test_a_folder_whose_block_fails_never_appears(tmp_path: Path) -> None:
    def broken_off() -> None:
        with appearing_folder(tmp_path / "pictures") as temporary:
            (temporary / "a").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert [*tmp_path.iterdir()] == []


def test_a_folders_files_are_on_the_disk_before_it_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    flushed: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _file: flushed.append(folder.exists()))
    with appearing_folder(folder) as temporary:
        for name in ("a", "b"):
            (temporary / name).write_text("whole")
    assert flushed == [False, False]


FILLER = """
import os, signal, sys
from pathlib import Path
from core.files import appearing_folder
with appearing_folder(Path(sys.argv[1])) as temporary:
    (temporary / "a").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_killed_processes_left_of_folders_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("one", "other"):
        with start("-c", FILLER, tmp_path / name) as filler:
            assert filler.wait(60) == -signal.SIGKILL
    (tmp_path / "my own.part").mkdir()
    (tmp_path / "download.part").touch()
    (tmp_path / ".page.1.part").touch()
    with appearing_folder(tmp_path / "one"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {
        "one", "my own.part", "download.part", ".page.1.part",
    }  # fmt: skip


def test_what_killed_processes_left_of_files_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with appearing(tmp_path / "a.txt") as temporary:
        temporary.touch()
    for left in (temporary.name, ".lock", ".hidden.txt"):
        (tmp_path / left).touch()
    (tmp_path / ".other.part").mkdir()
    remove_unfinished(tmp_path)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"a.txt", ".lock", ".hidden.txt", ".other.part"}


@pytest.mark.parametrize("place", [appearing, appearing_folder])
@pytest.mark.parametrize(("number", "named"), [(errno.ENOSPC, True), (errno.ECONNRESET, False)])
def test_a_full_disk_is_told_by_what_it_had_no_room_for(
    place: Callable[[Path], AbstractContextManager[Path]],
    number: int,
    named: bool,
    tmp_path: Path,
) -> None:
    path = tmp_path / "new"
    with pytest.raises(OSError, match="message") as refusal, place(path):
        raise OSError(number, "message")
    assert refusal.value.filename == (str(path) if named else None)


def test_a_place_for_a_file_is_made_but_not_the_file(tmp_path: Path) -> None:
    check_place(tmp_path / "new" / "page.html")
    assert [*tmp_path.rglob("*")] == [tmp_path / "new"]


@pytest.mark.parametrize("place", ["file/page.html", "folder", "/proc/new/page.html"])
def test_a_place_where_no_file_can_be_is_named(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"file|folder|/proc/new") as refusal:
        check_place(tmp_path / place)
    assert refusal.value.filename is not None


HOLDER = """
import sys, time
from pathlib import Path
from core.files import locked
with locked(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(60)
"""


def test_a_folder_is_one_processs_until_that_ends_however_it_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "new"
    with start("-c", HOLDER, folder) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "mine\n"
        killed = Timer(0.3, holder.kill)
        killed.start()
        with caplog.at_level(logging.INFO), locked(folder):
            assert holder.wait(10) == -signal.SIGKILL
    assert f"waiting for another process, which is at work in {folder}" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO), locked(folder):
        assert caplog.text == ""
