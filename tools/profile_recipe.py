"""Where a training step's time goes: steps a second of a recipe's second part, and its costs.

Pictures are noise, and a VGG19 has random weights: neither changes the time, and nothing needs to
be downloaded.
"""

import dataclasses
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from torch import nn
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function

from core.command import UserError, option, run_command
from core.run import pick_device
from core.trainer import Trainer
from serving.processor import processor_name
from srgan.assembly import build_game, build_trainer
from srgan.cache import PairCache
from srgan.config import RECIPES, RecipeName, TrainConfig
from srgan.features import build_features
from srgan.generators import GeneratorSpec
from srgan.losses import perceptual_term
from srgan.train import seconds_a_step

__all__ = ["ProfileConfig", "profile_recipe", "shares_of_time"]

logger = logging.getLogger(__name__)

_BACKWARD = "autograd::engine::evaluate_function"  # how torch names the steps of a backward pass


@dataclass(frozen=True)
class ProfileConfig:
    """What to profile.

    Attributes:
        recipe: laptop, srgan, esrgan or real-esrgan.
        batch_size: patches a batch; the recipe's where not given.
        steps: counted; two more go before.
        device: auto, cpu, cuda, ...
    """

    recipe: Annotated[RecipeName, tyro.conf.Positional]
    batch_size: int | None = None
    steps: int = 3
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("batch_size", "steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"{option(name)} must be at least 1, not {value}")


def _noise(scale: int, patch: int) -> PairCache:
    random = np.random.default_rng(0)
    hr, lr = (
        random.integers(0, 256, (side, side, 3), dtype=np.uint8)
        for side in (2 * patch * scale, 2 * patch)
    )
    return PairCache.of(scale, [hr], [lr])


def _parts(settings: TrainConfig, device: torch.device) -> tuple[Trainer, dict[str, nn.Module]]:
    """Return a trainer of the second part, and its networks by name."""
    spec = GeneratorSpec(settings.generator, settings.scale, settings.width, settings.blocks)
    generator = spec.build()
    features = build_features(settings.features, trained=False).to(device)
    # The trainer's own perceptual term would fetch the weights.
    bare = dataclasses.replace(settings, perceptual_weight=0.0)
    game = build_game(bare, generator)
    trainer = build_trainer(bare, game, _noise(settings.scale, settings.patch), device)
    moves = trainer.phases[-1]
    term = perceptual_term(features, settings.perceptual_loss, settings.perceptual_weight)
    moves.terms = [*moves.terms, term]
    networks = {"generator": game.generator, "discriminator": game.discriminator}
    return trainer, networks | {"perceptual network": features}


def _mark(name: str, network: nn.Module) -> None:
    """Let the profiler see the network's forward passes under its name."""
    open_marks: list[record_function] = []

    def enter(_module: nn.Module, _inputs: Any) -> None:
        open_marks.append(record_function(name))
        open_marks[-1].__enter__()

    def leave(_module: nn.Module, _inputs: Any, _output: Any) -> None:
        open_marks.pop().__exit__(None, None, None)

    network.register_forward_pre_hook(enter)
    network.register_forward_hook(leave)


def shares_of_time(
    trainer: Trainer, networks: Mapping[str, nn.Module], steps: int
) -> dict[str, float]:
    """Return shares of each network's passes, of the optimisers and of the rest, the largest first.

    An operation of the backward pass belongs to the network whose forward pass made it: torch
    gives both the same sequence number.
    """
    for name, network in networks.items():
        _mark(name, network)
    on_gpu = trainer.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as profiler:
        start = time.perf_counter()
        trainer.train(trainer.step + steps)
        if on_gpu:
            torch.cuda.synchronize()
        whole = 1e6 * (time.perf_counter() - start)
    events = sorted(profiler.events() or [], key=lambda event: event.time_range.start)

    def share(event: FunctionEvent) -> float:
        return float(event.device_time_total if on_gpu else event.cpu_time_total) / whole

    def part(event: FunctionEvent | None) -> str | None:
        while event is not None and event.name not in networks:
            event = event.cpu_parent
        return None if event is None else str(event.name)

    totals: defaultdict[str, float] = defaultdict(float)
    makers: dict[int, str | None] = {}
    for event in events:
        if event.name in networks:
            totals[f"{event.name}, forward"] += share(event)
        elif event.name.startswith("Optimizer.step"):
            totals["optimisers"] += share(event)
        elif event.name.startswith(_BACKWARD):
            if (maker := makers.get(event.sequence_nr)) is not None:
                totals[f"{maker}, backward"] += share(event)
        elif event.sequence_nr >= 0:
            # Operations without a gradient carry the number of the next one that has one, which
            # comes later and so has the last word.
            makers[event.sequence_nr] = part(event)
    totals["everything else"] = 1 - sum(totals.values())
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def profile_recipe(config: ProfileConfig) -> bool:
    """Time steps of the recipe's second part, then profile some, and print both."""
    settings = dataclasses.replace(RECIPES[config.recipe], pixel_steps=0)
    if config.batch_size is not None:
        settings = dataclasses.replace(settings, batch_size=config.batch_size)
    device = pick_device(config.device)
    trainer, networks = _parts(settings, device)
    seconds = seconds_a_step(trainer, config.steps)
    shares = shares_of_time(trainer, networks, config.steps)
    patch = f"{settings.patch}x{settings.patch}"
    sys.stdout.write(
        f"{config.recipe}, batches of {settings.batch_size} patches of {patch}, "
        f"{trainer.precision} on {device}: {torch.get_num_threads()} threads, {processor_name()}, "
        f"torch {torch.__version__}\n"
        f"features: {settings.features}, with random weights if it is a VGG19\n"
        f"{1 / seconds:.3g} steps/s, {settings.batch_size / seconds:.3g} images/s\n"
    )
    for name, share in shares.items():
        sys.stdout.write(f"{name:<32}{share:>6.1%}\n")
    return True


def main() -> None:
    """Run ``python tools/profile_recipe.py``."""
    run_command(ProfileConfig, profile_recipe)


if __name__ == "__main__":
    main()
