"""Games that write a checkpoint after every step, killed again and again, and a tiny one.

They go on from the file where there is one, so that they may be killed at any instant.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import nn

from core import random_state
from core.adversarial import adversarial_loss
from core.checkpoint import load_state, save_state
from core.datasets import ShuffledBatches
from core.game import NoiseGame
from core.networks.mlp import MaxoutDiscriminator
from core.phase import Phase, adversarial_discriminator_term, adversarial_generator_term
from core.run import Periodic
from core.schedule import constant, linear
from core.trainer import Trainer


def build() -> Trainer:
    """The vanilla game: dropout, momentum that changes, smoothing, shuffled data."""
    random_state.seed_all(3)
    pictures = torch.rand(10, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    generator = nn.Sequential(nn.Linear(4, 9), nn.Sigmoid(), nn.Unflatten(1, (1, 3, 3)))
    game = NoiseGame(generator, MaxoutDiscriminator(9, units=6, pieces=3), 4)
    loss = adversarial_loss("non-saturating")

    def sgd(network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.5)

    momentum = linear(0.5, 0.7, 30)
    return Trainer(
        game,
        [
            Phase("discriminator", sgd(game.discriminator),
                  [adversarial_discriminator_term(loss, 0.5)], constant(0.1), momentum),
            Phase("generator", sgd(game.generator),
                  [adversarial_generator_term(loss)], constant(0.1), momentum),
        ],
        ShuffledBatches(pictures, 3, seed=5),
        ema_decay=0.9,
        order="simultaneous",
    )  # fmt: skip


def play(build: Callable[[], Trainer], file: Path, until: int) -> None:
    """Train until ``until`` steps are done, with a checkpoint after each."""
    torch.set_num_threads(1)
    trainer = build()
    if file.exists():
        trainer.load_state_dict(load_state(file))
    trainer.observers = [Periodic(1, lambda t: save_state(file, t.state_dict()))]
    trainer.train(until)


def kill_often(build: Callable[[], Trainer], file: Path, kills: int, within: float) -> list[int]:
    """Kill a game so many times, each at most ``within`` seconds after its first checkpoint.

    Not at chosen steps: SIGKILL finds the game within a step, or within a checkpoint's write.

    Returns:
        The steps that the checkpoint had reached each time.
    """
    instants = random.Random(0)
    context = get_context("fork")  # a victim that need not import torch again
    reached: list[int] = []
    while len(reached) < kills:
        victim = context.Process(target=play, args=(build, file, 10**6))
        victim.start()
        assert victim.pid is not None
        before = file.stat().st_mtime_ns if file.exists() else 0
        while (file.stat().st_mtime_ns if file.exists() else 0) == before:
            time.sleep(0.001)
        time.sleep(instants.uniform(0, within))
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        assert victim.exitcode == -signal.SIGKILL
        reached.append(load_state(file)["step"])
    return reached
