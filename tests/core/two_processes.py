"""Run under torchrun by test_distributed: trains a small game and saves where it ended.

Arguments: the file to write, and how many processes' worth of batches each step takes.
"""

import sys
from pathlib import Path

import torch
from torch import nn

from core import distributed
from core.adversarial import adversarial_loss
from core.checkpoint import save_state
from core.game import Batch, NoiseGame
from core.muon import Muon
from core.penalties import r1_term
from core.phase import Phase, adversarial_discriminator_term, adversarial_generator_term
from core.schedule import constant
from core.trainer import Trainer


class Fixed(NoiseGame):
    """Noise comes with the batch, so that it does not depend on who draws it."""

    def fake(self, batch: Batch) -> torch.Tensor:
        fake: torch.Tensor = self.generator(batch.cond)
        return fake


class Slices:
    """Batch ``i`` is ``shares`` neighbouring groups of four samples."""

    def __init__(self, shares: int) -> None:
        self.shares = shares

    def batch(self, index: int) -> Batch:
        parts = []
        for group in range(index * self.shares, (index + 1) * self.shares):
            random = torch.Generator().manual_seed(group)
            parts.append(torch.randn(4, 9, generator=random))
        samples = torch.cat(parts)
        return Batch(samples[:, :4], samples[:, 4:])


def main(out: Path, shares: int) -> None:
    """Train six steps and save both players."""
    torch.set_num_threads(1)
    device = distributed.join(torch.device("cpu"))
    torch.manual_seed(distributed.rank())  # weights differ until they are shared
    game = Fixed(
        nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 4)),
        nn.Sequential(nn.Linear(4, 16), nn.Softplus(), nn.Linear(16, 1)),
        5,
    )
    loss = adversarial_loss("relativistic-paired")
    phases = [
        Phase(
            "discriminator",
            torch.optim.Adam(game.discriminator.parameters()),
            [adversarial_discriminator_term(loss), r1_term(0.5, every=3)],
            constant(0.01),
            clip_norm=1.0,
        ),
        Phase("generator", Muon(game.generator), [adversarial_generator_term(loss)],
              constant(0.01)),
    ]  # fmt: skip
    trainer = Trainer(game, phases, Slices(shares), device=device, ema_decay=0.9)
    trainer.train(6)
    state = trainer.state_dict()
    if distributed.is_main():
        save_state(out, {**state, "processes": distributed.size()})
    distributed.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
