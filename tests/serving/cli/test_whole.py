import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from serving.cli.whole import written_whole


class Failure(Exception):
    pass


def fail_half_way(path: Path | None) -> None:
    with written_whole(path) as file:
        file.write(b"half")
        raise Failure


def test_a_file_appears_with_its_folder_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.png"
    with written_whole(path) as file:
        file.write(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"


def test_after_a_failure_the_old_file_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    with pytest.raises(Failure):
        fail_half_way(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_gets_all_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=pipe))
    with pytest.raises(Failure):
        fail_half_way(None)
    assert pipe.getvalue() == b""
    with written_whole(None) as file:
        file.write(b"whole")
    assert pipe.getvalue() == b"whole"


def test_what_a_killed_process_has_left_is_removed_and_what_one_at_work_writes_is_not(
    tmp_path: Path,
) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from serving.cli.whole import written_whole\n"
        "with written_whole(pathlib.Path(sys.argv[1])) as file:\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "out.png"], check=False)
    (left,) = tmp_path.iterdir()
    other = left.with_name(left.name.replace(left.name.split(".")[-2], str(os.getppid())))
    other.touch()
    with written_whole(tmp_path / "out.png") as file:
        file.write(b"whole")
    assert set(tmp_path.iterdir()) == {tmp_path / "out.png", other}
