"""A run that is killed again and again, wherever it happens to be, ends in the same bits."""

from pathlib import Path

import pytest

from core.checkpoint import load_state
from tests.core.killed import build, kill_often, play
from tests.core.test_resume import assert_identical

KILLS = 20
STEPS = 400


@pytest.mark.slow
def test_twenty_kills_at_random_instants_leave_no_trace(tmp_path: Path) -> None:
    play(build, tmp_path / "whole.safetensors", STEPS)
    broken = tmp_path / "broken.safetensors"
    reached = kill_often(build, broken, KILLS, within=0.02)
    assert reached == sorted(reached)
    assert len(set(reached)) >= KILLS // 2
    assert reached[-1] < STEPS
    play(build, broken, STEPS)
    assert_identical(load_state(broken), load_state(tmp_path / "whole.safetensors"))
