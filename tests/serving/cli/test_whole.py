import io
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
