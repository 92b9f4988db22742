import os
import time
from pathlib import Path

from serving.cli.done import is_done
from serving.cli.plan import Job
from serving.cli.whole import written_whole

LONG_AGO = (1_000_000_000, 1_000_000_000)


def made(tmp_path: Path) -> Job:
    job = Job(tmp_path / "photo.png", tmp_path / "photo_x4.png")
    assert job.source
    job.source.write_bytes(b"picture")
    time.sleep(0.02)  # Disks do not tell moments that are closer together.
    make(job)
    return job


def make(job: Job) -> None:
    with written_whole(job.target) as file:
        file.write(b"result")


def test_a_result_that_is_newer_than_its_picture_is_done(tmp_path: Path) -> None:
    assert is_done(made(tmp_path))


def test_a_result_that_is_not_there_is_not(tmp_path: Path) -> None:
    job = made(tmp_path)
    assert job.source
    assert job.target
    assert not is_done(Job(job.source, job.target, tmp_path / "photo_x4_compare.png"))
    job.target.unlink()
    assert not is_done(job)


def test_a_picture_that_changes_is_to_be_done_again(tmp_path: Path) -> None:
    job = made(tmp_path)
    assert job.source
    time.sleep(0.02)
    job.source.write_bytes(b"another picture")
    assert not is_done(job)


def test_so_is_one_that_an_older_one_replaces(tmp_path: Path) -> None:
    job = made(tmp_path)
    assert job.source
    other = tmp_path / "other.png"
    other.write_bytes(b"old picture")
    os.utime(other, LONG_AGO)
    time.sleep(0.02)
    other.replace(job.source)
    assert not is_done(job)


def test_so_is_one_that_changes_while_its_result_is_written(tmp_path: Path) -> None:
    job = made(tmp_path)
    assert job.source
    with written_whole(job.target) as file:
        time.sleep(0.02)
        job.source.write_bytes(b"another picture")
        time.sleep(0.02)
        file.write(b"result of the first")
    assert not is_done(job)


def test_what_goes_through_pipes_is_never_done() -> None:
    assert not is_done(Job(None, None))
