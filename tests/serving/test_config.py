import os
import sys
from pathlib import Path

import pytest

from serving import processor, supervisor
from serving.config import ServerConfig
from serving.processor import available_processors
from serving.supervisor import of_each, share


@pytest.mark.skipif(sys.platform != "linux", reason="quotas are Linux's")
@pytest.mark.parametrize(
    ("told", "processors"),
    [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("", 8)],
)
def test_a_containers_quota_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, processors: int
) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(told)
    monkeypatch.setattr(processor, "_QUOTA", quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert available_processors() == processors


def test_workers_share_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "available_processors", lambda: 8)
    assert share(ServerConfig(workers=2)) == 4
    assert share(ServerConfig(workers=3)) == 2
    assert share(ServerConfig(workers=16)) == 1
    assert share(ServerConfig(workers=2, threads=2)) == 2


def test_each_worker_has_tiles_for_two_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "available_processors", lambda: 8)
    assert of_each(ServerConfig(workers=2, max_batch=8)).concurrency == 16
    assert of_each(ServerConfig(workers=2, max_batch=2)).concurrency == 4
    assert of_each(ServerConfig(workers=2, max_batch=8, concurrency=8)).concurrency == 8
    alone = ServerConfig(max_batch=8)
    assert of_each(alone) == alone
