"""Train the generative adversarial net of Goodfellow et al. 2014: noise in, pictures out."""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from core import distributed, random_state
from core.assembly import (
    build_batches,
    build_game,
    build_trainer,
    build_watch,
    epoch_steps,
    player_spec,
)
from core.checkpoint import load_state
from core.collapse import Collapsed, CollapseWatch
from core.command import run_command
from core.divergence import Diverged
from core.evaluation.metrics import build_metrics
from core.pictures import save_grid
from core.recipes import RECIPES
from core.run import Run, check_run, open_run, pick_device
from core.run_log import logged, remembering
from core.sampler import Sampler, save_sampler
from core.trainer import Trainer
from core.training_pictures import training_pictures
from core.vanilla_config import VanillaConfig

__all__ = ["train"]

logger = logging.getLogger(__name__)

# Where things are and who looks on, as opposed to what is done: a run may go on with others.
_MAY_CHANGE = ("classifier", "data_dir", "device", "epochs", "metrics", "on_collapse", "out",
               "resume", "sample_every")  # fmt: skip
_ROLLBACKS = 3
_MEASURED_SAMPLES = 10_000


def _cpu_minutes(generator: Path) -> float:
    """Return the processor time that a generator's file says its training has taken so far."""
    if not generator.exists():
        return 0.0
    minutes: float = load_state(generator)["training"].get("cpu_minutes", 0.0)
    return minutes


def _keep(
    trainer: Trainer, sampler: Sampler, noise: torch.Tensor, run: Run, cpu_minutes: float
) -> None:
    """Write a grid of samples and the generator."""
    pictures = sampler.pictures(noise)
    path = run.samples / f"{trainer.step:07}.png"
    save_grid(pictures, path, columns=10, enlarge=max(1, 28 // pictures.shape[-1]))
    record = {
        "config": run.config,
        "steps": trainer.step,
        "cpu_minutes": round(cpu_minutes, 2),
    }
    save_sampler(run.generator, sampler.spec, sampler.network.state_dict(), record)


def _roll_back(
    trainer: Trainer,
    healthy: dict[str, Any] | None,
    evidence: str,
    config: VanillaConfig,
    attempt: int,
) -> None:
    """Go back to before the evidence, and on with other batches and other noise.

    Raises:
        Collapsed: if there is nothing to go back to, or it has been tried often enough.
    """
    if healthy is None or attempt == _ROLLBACKS:
        raise Collapsed(f"{evidence}; {attempt} times rolled back")
    found_at = trainer.step
    trainer.load_state_dict(healthy)
    # The same batches and noise would lead to the same end.
    trainer.batches_drawn += found_at
    random_state.seed_all(config.seed + attempt + 1)
    trainer.stop = False
    logger.warning("rolled back from step %d to %d: %s", found_at, trainer.step, evidence)


def _play(
    run: Run,
    trainer: Trainer,
    config: VanillaConfig,
    epoch: int,
    keep: Callable[[Trainer], None],
    watch: Callable[[], CollapseWatch],
    measure: Callable[[Trainer], Mapping[str, float]] | None,
) -> bool:
    """Train to the end, through rollbacks where they are asked for."""
    every = epoch * config.sample_every
    attempt = 0
    while True:
        watching = watch()
        try:
            finished = run.play(
                trainer,
                config.epochs * epoch,
                observers=[watching],
                checkpoint_every=every,
                log_every=max(1, min(100, epoch)),
                keep=[keep],
                measure=measure,
            )
            evidence = watching.evidence
        except Diverged as error:
            if config.on_collapse != "rollback":
                raise
            evidence = str(error)
        if not evidence or config.on_collapse == "warn":
            return finished
        if config.on_collapse == "stop":
            raise Collapsed(f"{evidence}; --on-collapse stop")
        with logged(run.log):
            _roll_back(trainer, watching.healthy, evidence, config, attempt)
        run.save(trainer)  # or --resume would go on with what is given up
        attempt += 1


@remembering()
def train(config: VanillaConfig) -> bool:
    """Train, and leave samples, a loss plot, events and a checkpoint in the run's folder.

    Returns:
        Whether training came to its end rather than being interrupted.

    Raises:
        UserError: if the data or the run cannot be had as asked.
        Collapsed: if the game broke off and that is to be the end.
        Diverged: if numbers are no longer finite, and nothing rolls back.
    """
    device = distributed.join(pick_device(config.device))
    check_run(config.folder, resume=config.resume)
    pictures = training_pictures(config)
    batches = build_batches(config, pictures)
    spec = player_spec(config, pictures)
    metric = build_metrics(config.metrics, pictures, config.classifier)
    random_state.seed_all(config.seed)  # after all that is not part of the game
    game = build_game(config, spec, pictures.train.pictures)
    # where the learning rate falls over the epochs, other epochs would be another run
    may_change = [name for name in _MAY_CHANGE if name != "epochs" or not config.anneal]
    run, state = open_run(config.folder, config, resume=config.resume, may_change=may_change)
    trainer = build_trainer(config, game, batches, device)
    sampler = Sampler(trainer.sampler, spec, {})
    noise = game.noise(100, device)
    if not distributed.is_main():
        random_state.seed_all(config.seed + distributed.rank())
    if state is not None:
        trainer.load_state_dict(state)

    spent = _cpu_minutes(run.generator) if config.resume else 0.0

    def keep(trainer: Trainer) -> None:
        _keep(trainer, sampler, noise, run, spent + time.process_time() / 60)

    def measure(_trainer: Trainer) -> Mapping[str, float]:
        figures = metric(sampler.sample(_MEASURED_SAMPLES))
        return {f"samples/{name}": value for name, value in figures.items()}

    logger.info("training on %d pictures of %s; results in %s",
                len(pictures.train), config.dataset, run.folder)  # fmt: skip
    finished = _play(
        run, trainer, config,
        epoch=epoch_steps(config, batches),
        keep=keep,
        watch=lambda: build_watch(config, spec, pictures),
        measure=measure if config.metrics else None,
    )  # fmt: skip
    if distributed.is_main():
        keep(trainer)
        logger.info("%.1f minutes of processor time", _cpu_minutes(run.generator))
    distributed.leave()
    return finished


def _named_recipe(arguments: Sequence[str]) -> VanillaConfig:
    """Return the settings that the command line starts from."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--recipe")
    name = parser.parse_known_args(arguments)[0].recipe
    # A name that does not exist is left for the real parser to refuse.
    return RECIPES.get(name, VanillaConfig())


def main() -> None:
    """Run ``python -m core.train_vanilla``."""
    run_command(VanillaConfig, train, _named_recipe(sys.argv[1:]))


if __name__ == "__main__":
    main()
