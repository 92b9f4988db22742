"""A run that is killed again and again, wherever it happens to be, ends in the same bits."""

import os
import random
import signal
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from core.checkpoint import load_state
from tests.core.killed import play
from tests.core.test_resume import assert_identical

KILLS = 20
STEPS = 400


@pytest.mark.slow
def test_twenty_kills_at_random_instants_leave_no_trace(tmp_path: Path) -> None:
    """Not at chosen steps: SIGKILL finds the run within a step, or within a checkpoint's write."""
    play(tmp_path / "whole.safetensors", STEPS)
    broken = tmp_path / "broken.safetensors"
    instants = random.Random(0)
    context = get_context("fork")  # a victim that need not import torch again
    reached: list[int] = []
    while len(reached) < KILLS:
        victim = context.Process(target=play, args=(broken, 10**6))
        victim.start()
        assert victim.pid is not None
        before = broken.stat().st_mtime_ns if broken.exists() else 0
        while (broken.stat().st_mtime_ns if broken.exists() else 0) == before:
            time.sleep(0.001)
        time.sleep(instants.uniform(0, 0.02))
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        assert victim.exitcode == -signal.SIGKILL
        reached.append(load_state(broken)["step"])
    assert reached == sorted(reached)
    assert len(set(reached)) >= KILLS // 2
    assert reached[-1] < STEPS
    play(broken, STEPS)
    assert_identical(load_state(broken), load_state(tmp_path / "whole.safetensors"))
    leftovers = {path.name for path in tmp_path.iterdir()}
    assert {"whole.safetensors", "broken.safetensors"} <= leftovers
