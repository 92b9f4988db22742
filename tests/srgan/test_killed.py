"""Super-resolution training that is killed again and again ends in the same bits."""

from pathlib import Path

import pytest
import torch

from core import random_state
from core.checkpoint import load_state
from core.trainer import Trainer
from srgan.assembly import build_game, build_trainer
from srgan.cache import open_cache
from srgan.config import TrainConfig
from srgan.generators import GeneratorSpec
from tests.core.killed import kill_often, play
from tests.core.test_resume import assert_identical
from tests.srgan.pictures import files, save_pictures

KILLS = 20
STEPS = 120


@pytest.mark.slow
def test_twenty_kills_at_random_instants_leave_no_trace(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    pictures = files(save_pictures(tmp_path / "photos", 4, 48, 40))
    pairs = open_cache(tmp_path / "cache", pictures, 2)
    config = TrainConfig(
        scale=2, width=16, blocks=1, pixel_steps=20, adversarial_steps=STEPS, batch_size=2,
        patch=8, discriminator_width=4, perceptual_weight=0.0, precision="fp32",
    )  # fmt: skip

    def build() -> Trainer:
        random_state.seed_all(3)
        game = build_game(config, GeneratorSpec("light", 2, 16, 1).build())
        return build_trainer(config, game, pairs, torch.device("cpu"))

    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    play(build, whole, STEPS)
    reached = kill_often(build, broken, KILLS, within=0.05)
    assert reached == sorted(reached)
    assert len(set(reached)) >= KILLS // 2
    assert reached[-1] < STEPS
    play(build, broken, STEPS)
    assert_identical(load_state(broken), load_state(whole))
