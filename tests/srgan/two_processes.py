"""Run under torchrun by test_quantisation: trains for 8 bits, unbroken and from a checkpoint.

Argument: a folder for the states at the two ends.
"""

import sys
from pathlib import Path

import torch
from torch import nn

from core import distributed, random_state
from core.checkpoint import load_state, save_state
from core.game import Batch
from core.phase import Phase
from core.schedule import constant
from core.trainer import Trainer
from srgan.game import SuperResolutionGame
from srgan.generators import GeneratorSpec
from srgan.losses import pixel_term
from srgan.quantisation import round_from_now


class Brighter:
    """Batch ``i`` is brighter than the one before, so that processes see other extremes."""

    def batch(self, index: int) -> Batch:
        random = torch.Generator().manual_seed(index)
        lr = (1 + index) * torch.rand(1, 3, 8, 8, generator=random)
        return Batch(nn.functional.interpolate(lr, scale_factor=2.0), lr)


def rounding_trainer(device: torch.device) -> Trainer:
    """A light generator alone, on pixels, which rounds."""
    random_state.seed_all(0)
    generator = GeneratorSpec("light", 2, 16, 1).build()
    adam = torch.optim.Adam(generator.parameters())
    phase = Phase("generator", adam, [pixel_term("l1")], constant(0.01))
    game = SuperResolutionGame(generator, nn.Identity())
    trainer = Trainer(game, [phase], Brighter(), device=device)
    round_from_now(trainer)
    return trainer


def main(folder: Path) -> None:
    """Train six steps at once, and three and three; save where each ended."""
    torch.set_num_threads(1)
    device = distributed.join(torch.device("cpu"))
    for name, stops in (("whole", (6,)), ("parts", (3, 6))):
        for stop in stops:
            trainer = rounding_trainer(device)
            if stop > stops[0]:
                trainer.load_state_dict(load_state(folder / name))
            trainer.train(stop)
            states = distributed.gather(trainer.game.generator.state_dict())
            state = {**trainer.state_dict(), "generators": states}
            if distributed.is_main():
                save_state(folder / name, state)
            distributed.agree(False, device)  # nobody reads before it is written
    distributed.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
