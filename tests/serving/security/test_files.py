"""Files are read again until they can be."""

from pathlib import Path

import pytest

from serving.errors import InvalidConfig
from serving.security import files
from serving.security.files import Watched


class Reader:
    """Reads a file, unless something is wrong that has nothing to do with its content."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.complaint = ""
        self.times = 0

    def read(self) -> str:
        self.times += 1
        if self.complaint:
            raise InvalidConfig("file", self.complaint, "another")
        return self._path.read_text()


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock shows, in seconds."""
    time = [0.0]
    monkeypatch.setattr(files, "monotonic", lambda: time[0])
    return time


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    path = tmp_path / "file"
    path.write_text("old")
    return Reader(path)


@pytest.fixture
def watched(tmp_path: Path, reader: Reader) -> Watched[str]:
    return Watched("words", [tmp_path / "file"], reader.read)


def renewed(watched: Watched[str], now: list[float]) -> bool:
    now[0] += 1
    return watched.renewed()


def test_what_changes_is_read_once(
    tmp_path: Path, watched: Watched[str], now: list[float], reader: Reader
) -> None:
    assert [renewed(watched, now) for _ in range(2)] == [False, False]
    (tmp_path / "file").write_text("new")
    assert [renewed(watched, now) for _ in range(2)] == [True, False]
    assert (watched.content, reader.times) == ("new", 2)


def test_what_cannot_be_read_is_tried_again_and_told_once(
    tmp_path: Path,
    watched: Watched[str],
    now: list[float],
    reader: Reader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("new")
    for reader.complaint in ("too early", "too early", "locked", "locked"):
        assert not renewed(watched, now)
        assert watched.content == "old"
    assert [record.getMessage() for record in caplog.records] == [
        f"the words stay as they were: file is {complaint}; expected another"
        for complaint in ("too early", "locked")
    ]
    reader.complaint = ""
    assert renewed(watched, now)
    assert watched.content == "new"


def test_tries_are_a_second_apart(
    tmp_path: Path, watched: Watched[str], now: list[float], reader: Reader
) -> None:
    (tmp_path / "file").write_text("new")
    reader.complaint = "too early"
    for tenth in range(30):
        now[0] = tenth / 10
        watched.renewed()
    assert reader.times == 1 + 2


def test_another_mode_counts_as_a_change(
    tmp_path: Path, watched: Watched[str], now: list[float]
) -> None:
    (tmp_path / "file").chmod(0o600)
    assert renewed(watched, now)
