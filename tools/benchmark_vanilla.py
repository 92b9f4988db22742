"""Time an epoch of the 2014 paper's game in this project's loop and in a plain one.

The plain loop is what one would write for this game alone: the same two networks, batches and
optimisers, data in memory, both losses by softplus, noise anew for each player.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import random_state
from core.assembly import build_batches, build_game, build_trainer, build_watch, player_spec
from core.command import UserError, option, run_command
from core.datasets import Part, Pictures, ShuffledBatches
from core.game import NoiseGame
from core.machine import processor
from core.recipes import RECIPES
from core.run import pick_device
from core.vanilla_config import VanillaConfig

__all__ = ["VanillaBenchmarkConfig", "benchmark_vanilla"]

_WARM_UP = 5  # steps before any round

Loop = Callable[[int], float]
"""Trains for so many steps; returns their seconds."""


@dataclass(frozen=True)
class VanillaBenchmarkConfig:
    """What to time: the recipe paper-mnist, on noise in place of digits.

    Attributes:
        steps: in each round; an epoch of MNIST has 500.
        rounds: of each loop, in turn.
        device: auto, cpu, cuda, ...
    """

    steps: int = 100
    rounds: int = 7
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("steps", "rounds"):
            if getattr(self, name) < 1:
                raise UserError(f"{option(name)} must be at least 1, not {getattr(self, name)}")


def _game(config: VanillaConfig, pictures: Pictures) -> NoiseGame:
    random_state.seed_all(0)
    return build_game(config, player_spec(config, pictures), pictures.train.pictures)


def _project_loop(
    config: VanillaConfig, pictures: Pictures, device: torch.device, *, watched: bool
) -> Loop:
    trainer = build_trainer(
        config, _game(config, pictures), build_batches(config, pictures), device
    )
    if watched:
        trainer.observers = [build_watch(config, player_spec(config, pictures), pictures)]

    def run(steps: int) -> float:
        start = time.perf_counter()
        trainer.train(trainer.step + steps)
        return time.perf_counter() - start

    return run


def _plain_loop(
    generator: nn.Module, discriminator: nn.Module, batches: ShuffledBatches, device: torch.device
) -> Loop:
    players = [network.to(device) for network in (discriminator, generator)]
    optimizers = [torch.optim.SGD(p.parameters(), lr=0.1, momentum=0.5) for p in players]
    pictures, size = batches.pictures, batches.batch_size

    def noise() -> Tensor:
        return (2 * torch.rand(size, 100, device=device) - 1) * 3**0.5

    def run(steps: int) -> float:
        start = time.perf_counter()
        order = torch.randperm(len(pictures))
        for step in range(steps):
            place = step * size % (len(pictures) - size + 1)
            real = pictures[order[place : place + size]].to(device)
            with torch.no_grad():
                fake = generator(noise())
            told = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
            (0.5 * told).backward()
            discriminator.requires_grad_(False)
            F.softplus(-discriminator(generator(noise()))).mean().backward()
            discriminator.requires_grad_(True)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
        return time.perf_counter() - start

    return run


def benchmark_vanilla(config: VanillaBenchmarkConfig) -> bool:
    """Time the loops in turn; print medians of an epoch's seconds, and ratios."""
    device = pick_device(config.device)
    part = Part(torch.rand(5000, 1, 28, 28))
    pictures = Pictures(part, part, part)
    recipe = RECIPES["paper-mnist"]
    bare = replace(recipe, ema=0.0)
    game = _game(recipe, pictures)
    loops = {
        "plain": _plain_loop(
            game.generator, game.discriminator, build_batches(recipe, pictures), device
        ),
        "this project": _project_loop(bare, pictures, device, watched=False),
        "with smoothing and the watch": _project_loop(recipe, pictures, device, watched=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for run in loops.values():
        run(_WARM_UP)
    for _round in range(config.rounds):
        for name, run in loops.items():
            seconds[name].append(500 / config.steps * run(config.steps))
    sys.stdout.write(
        f"paper-mnist, {device}: {torch.get_num_threads()} threads, {processor()}, "
        f"torch {torch.__version__}\n{'loop':<30}{'seconds an epoch':>18}{'ratio':>8}\n"
    )
    plain = statistics.median(seconds["plain"])
    for name, taken in seconds.items():
        median = statistics.median(taken)
        sys.stdout.write(f"{name:<30}{median:>18.2f}{median / plain:>8.3f}\n")
    return True


def main() -> None:
    """Run ``python tools/benchmark_vanilla.py``."""
    run_command(VanillaBenchmarkConfig, benchmark_vanilla)


if __name__ == "__main__":
    main()
