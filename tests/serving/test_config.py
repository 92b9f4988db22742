import os
import sys
from pathlib import Path

import pytest

from serving import config
from serving.config import ServerConfig, available_processors


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
    monkeypatch.setattr(config, "_QUOTA", quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert available_processors() == processors


def test_workers_share_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "available_processors", lambda: 8)
    assert ServerConfig().tiles_at_once == 8
    assert ServerConfig(workers=3).tiles_at_once == 2
    assert ServerConfig(workers=16).tiles_at_once == 1
    assert ServerConfig(workers=3, concurrency=5).tiles_at_once == 5
