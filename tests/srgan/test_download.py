"""Downloads: whole or absent, resumed where they broke off, checked before they are used."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from srgan.download import DownloadError, RemoteFile, download
from tests.srgan.web import Web, serving

CONTENT = random.Random(0).randbytes(300_000)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web(CONTENT)) as web:
        yield web


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "file.zip"


@pytest.fixture
def part(path: Path) -> Path:
    path.parent.mkdir()
    return path.with_name("file.zip.part")


def fetch(web: Web, path: Path, tries: int = 3) -> None:
    download(web.remote, path, tries=tries, timeout=5.0, pause=0.0)


def assert_complete(path: Path) -> None:
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_arrives_whole_in_a_folder_that_is_made(web: Web, path: Path) -> None:
    fetch(web, path)
    assert_complete(path)


def test_a_file_that_is_there_is_not_fetched_again(web: Web, path: Path) -> None:
    fetch(web, path)
    fetch(web, path)
    assert len(web.asked) == 1


def test_what_an_earlier_program_left_is_continued(web: Web, path: Path, part: Path) -> None:
    part.write_bytes(CONTENT[:123_456])
    fetch(web, path)
    assert web.asked == ["bytes=123456-"]
    assert_complete(path)


def test_what_arrived_in_full_is_not_asked_for_again(web: Web, path: Path, part: Path) -> None:
    part.write_bytes(CONTENT)
    fetch(web, path)
    assert web.asked == []
    assert_complete(path)


def test_a_server_that_ignores_ranges_sends_the_whole(web: Web, path: Path, part: Path) -> None:
    web.ranges = False
    part.write_bytes(CONTENT[:123_456])
    fetch(web, path)
    assert web.asked == ["bytes=123456-"]
    assert_complete(path)


def test_a_broken_connection_is_resumed_by_the_next_try(web: Web, path: Path) -> None:
    web.breaks_after = [100_000, 50_000]
    fetch(web, path)
    assert web.asked == ["bytes=0-", "bytes=100000-", "bytes=150000-"]
    assert_complete(path)


def test_when_all_tries_break_the_next_program_goes_on_from_there(web: Web, path: Path) -> None:
    web.breaks_after = [100_000, 50_000]
    with pytest.raises(DownloadError, match="150000 of 300000 bytes; run the command again"):
        fetch(web, path, tries=2)
    assert not path.exists()
    assert path.with_name("file.zip.part").read_bytes() == CONTENT[:150_000]
    fetch(web, path, tries=1)
    assert web.asked[-1] == "bytes=150000-"
    assert_complete(path)


def test_nothing_is_at_the_path_before_it_is_complete(web: Web, path: Path) -> None:
    web.breaks_after = [299_999]
    with pytest.raises(DownloadError):
        fetch(web, path, tries=1)
    assert not path.exists()


@pytest.mark.parametrize(
    "wrong", [{"digest": "0" * 64}, {"size": len(CONTENT) - 1}], ids=["digest", "size"]
)
def test_another_file_than_expected_is_refused_and_removed(
    wrong: dict[str, object], web: Web, path: Path
) -> None:
    remote: RemoteFile = replace(web.remote, **wrong)  # type: ignore[arg-type]
    with pytest.raises(DownloadError, match="not the file expected"):
        download(remote, path, pause=0.0)
    assert list(path.parent.iterdir()) == []


def test_a_file_shorter_than_expected_never_becomes_complete(web: Web, path: Path) -> None:
    with pytest.raises(DownloadError, match="not the file expected"):
        download(replace(web.remote, size=len(CONTENT) + 1), path, tries=2, pause=0.0)
    assert list(path.parent.iterdir()) == []


@pytest.fixture
def unmeasured(web: Web) -> RemoteFile:
    """The same file, of which only an MD5 is known."""
    digest = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    return replace(web.remote, size=None, digest=digest, algorithm="md5")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_size_that_is_not_known_is_told_by_the_server(
    ranges: bool, web: Web, unmeasured: RemoteFile, path: Path, part: Path
) -> None:
    web.ranges = ranges
    part.write_bytes(CONTENT[:1000])
    web.breaks_after = [100_000, 5_000]
    with pytest.raises(DownloadError, match=r"broke off after .* of 300000 bytes"):
        download(unmeasured, path, tries=2, pause=0.0)
    download(unmeasured, path, pause=0.0)
    assert_complete(path)


def test_a_whole_file_of_unknown_size_is_recognised_by_its_digest(
    web: Web, unmeasured: RemoteFile, path: Path, part: Path
) -> None:
    part.write_bytes(CONTENT)
    download(unmeasured, path, pause=0.0)
    assert web.asked == ["bytes=300000-"]
    assert_complete(path)
    path.rename(part)
    with part.open("ab") as file:
        file.write(b"more than there is")
    with pytest.raises(DownloadError, match="its size or md5 is wrong"):
        download(unmeasured, path, pause=0.0)
    assert not part.exists()


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_address_that_is_refused_for_good_is_not_tried_again(
    status: int, web: Web, path: Path
) -> None:
    web.status = status
    with pytest.raises(DownloadError, match=f"{web.remote.url} cannot be downloaded: .*{status}"):
        fetch(web, path)
    assert len(web.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_tried_again(status: int, web: Web, path: Path) -> None:
    web.status = status
    with pytest.raises(DownloadError, match=str(status)):
        fetch(web, path)
    assert len(web.asked) == 3


def test_no_server_at_all(path: Path) -> None:
    with serving(Web(CONTENT)) as web:
        pass
    with pytest.raises(DownloadError, match="cannot be downloaded"):
        fetch(web, path, tries=2)
    assert not path.exists()
