"""A tiny game that writes a checkpoint after every step.

It goes on from the file where there is one, so that it may be killed at any instant.
"""

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


def play(file: Path, until: int) -> None:
    """Train until ``until`` steps are done, with a checkpoint after each."""
    torch.set_num_threads(1)
    trainer = build()
    if file.exists():
        trainer.load_state_dict(load_state(file))
    trainer.observers = [Periodic(1, lambda t: save_state(file, t.state_dict()))]
    trainer.train(until)
