"""Train a super-resolution generator: first on pixels, then against a discriminator."""

import argparse
import copy
import dataclasses
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from core import distributed, random_state
from core.checkpoint import load_state
from core.command import UserError, run_command
from core.history import read_history
from core.run import check_run, open_run, pick_device
from core.run_log import remembering
from core.trainer import Trainer
from srgan.assembly import build_game, build_trainer
from srgan.cache import PairCache, open_cache
from srgan.config import RECIPES, TrainConfig
from srgan.degradations import DEGRADATIONS
from srgan.evaluation.sets import distinct
from srgan.generators import Generator, save_generator
from srgan.holdout import Division, hold_out
from srgan.pairs import low_resolution, reduced
from srgan.patches import PatchSampler
from srgan.quantisation import is_rounding, round_from_now
from srgan.rectifiers import RectifierWatch
from srgan.reparameterise import folded_state, reparameterise
from srgan.sources import check_outside, training_pictures
from srgan.start import starting_generator
from srgan.validation import (
    Samples,
    check_sets,
    degraded,
    middles,
    open_held_out,
    validation,
)

__all__ = ["TrainConfig", "seconds_a_step", "train"]

logger = logging.getLogger(__name__)

# Where things are, as opposed to what was done: these may change when a run goes on, and a trained
# generator does not tell them.
_PLACES = ("cache_dir", "data_dir", "device", "out", "resume", "show_config", "validate")
_PARTS = ("pixel_steps", "adversarial_steps", "quantisation_steps")


def _settings(config: TrainConfig) -> dict[str, Any]:
    """Return what a trained generator says about its making."""
    settings = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    settings = {name: value for name, value in settings.items() if name not in _PLACES}
    settings["data"] = [Path(part).name for part in config.data.split(",")]
    settings["init"] = None if config.init is None else config.init.stem
    settings["teacher"] = None if config.teacher is None else Path(config.teacher).stem
    return settings


def seconds_a_step(
    trainer: Trainer, steps: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the seconds by ``clock`` that a step takes, after four that compile and warm up."""

    def finished(until: int) -> float:
        trainer.train(until)
        if trainer.device.type == "cuda":  # which works on while Python goes ahead
            torch.cuda.synchronize(trainer.device)
        return clock()

    start = finished(trainer.step + 4)
    return (finished(trainer.step + steps) - start) / steps


def _fit_minutes(
    config: TrainConfig, generator: Generator, pairs: PairCache, device: torch.device
) -> TrainConfig:
    """Scale all parts' steps so that they take ``config.minutes``, by timing a copy of each."""
    total = 0.0
    last = "adversarial_steps" if config.adversarial_steps else "pixel_steps"
    for name in _PARTS:
        if getattr(config, name):
            like = last if name == "quantisation_steps" else name
            alone: dict[str, Any] = dict.fromkeys(_PARTS, 0) | {like: 1000}
            trial = dataclasses.replace(config, **alone)
            game = build_game(trial, copy.deepcopy(generator))
            trainer = build_trainer(trial, game, pairs, device)
            if name == "quantisation_steps":
                round_from_now(trainer)
            timed = 100 if device.type == "cuda" else 10
            total += getattr(config, name) * seconds_a_step(trainer, timed)
    factor = 60 * config.minutes / max(distributed.gather(total))

    def fitted(steps: int) -> int:
        return max(1, round(steps * factor)) if steps else 0

    steps: dict[str, Any] = {name: fitted(getattr(config, name)) for name in _PARTS}
    logger.info(
        "%g minutes are about %s steps", config.minutes, " + ".join(map(str, steps.values()))
    )
    return dataclasses.replace(config, **steps)


def _saved_steps(config: TrainConfig) -> TrainConfig:
    """Take the steps that a time-boxed run settled on when it began."""
    path = config.out / "config.json"
    if not path.exists():
        return config
    saved = json.loads(path.read_text())
    # What another game's run does not tell, opening it refuses.
    return dataclasses.replace(config, **{name: saved[name] for name in _PARTS if name in saved})


class _Hours:
    """Counts the hours that a training takes, over all sittings, of processors and of GPUs."""

    def __init__(self, device: torch.device, earlier: Path | None) -> None:
        """Go on from what the generator file ``earlier`` says, if there is one."""
        self._gpus = distributed.size() if device.type == "cuda" else 0
        self._began = time.monotonic()
        self._processors: float | None = None
        known = load_state(earlier)["training"] if earlier and earlier.exists() else {}
        self._spent = {name: known.get(name, 0.0) for name in ("cpu_hours", "gpu_hours")}

    def close(self) -> None:
        """Add up what all processes took, which all must call; until then each counts alike."""
        self._processors = sum(distributed.gather(time.process_time()))

    def __call__(self) -> dict[str, float]:
        processors = self._processors
        if processors is None:
            processors = distributed.size() * time.process_time()
        seconds = {
            "cpu_hours": processors,
            "gpu_hours": self._gpus * (time.monotonic() - self._began),
        }
        return {name: round(self._spent[name] + s / 3600, 3) for name, s in seconds.items()}


def _curve(history: Path) -> list[dict[str, float]]:
    """Return what was measured on the way: step and scores at each validation."""
    return [
        {name.removeprefix("validation/"): value for name, value in record.items()}
        for record in read_history(history)
        if any(name.startswith("validation/") for name in record)
    ]


@remembering()
def train(config: TrainConfig) -> bool:
    """Train, and leave pictures, plots, events, a checkpoint and the generator in the run's folder.

    Returns:
        Whether training came to its end rather than being interrupted.

    Raises:
        UserError: if the data or the run cannot be had as asked.
        Diverged: if losses or weights are no longer finite.
    """
    if config.show_config:
        shown = json.dumps(dataclasses.asdict(config), indent=2, default=str)
        sys.stdout.write(shown + "\n")
        return True
    device = distributed.join(pick_device(config.device))
    check_run(config.out, resume=config.resume)
    check_outside(config.out, config.data)
    random_state.seed_all(config.seed)
    generator, spec, earlier, config = starting_generator(config)
    if config.reparameterise:
        reparameterise(generator)
    pictures = training_pictures(config.data, config.data_dir, spec.scale)
    undone = low_resolution(pictures, config.degradation)
    division_file = config.out / "pictures.json"
    before = Division.load(division_file) if config.resume else None
    training, held_out = (
        before.divide(pictures, config.data_dir) if before else hold_out(pictures, config.holdout)
    )
    # Also of what is held out, though unused: the cache does not depend on what that is.
    pictures, training = (
        [*files, *reduced(files, config.multiscale)] for files in (pictures, training)
    )
    sets = dict(zip(distinct(config.validate), config.validate, strict=True))
    looked_at = low_resolution(held_out, config.degradation)
    if held_out and looked_at in sets:
        raise UserError(
            f"--validate {sets[looked_at]} has the name by which the pictures held out are "
            "measured: give the folder another"
        )
    check_sets(config.validate, spec.scale)
    game = build_game(config, generator)
    pairs = open_cache(config.cache_dir, pictures, spec.scale, config.patch, training)
    kept_back = open_held_out(config.cache_dir, pictures, spec.scale, config.patch, held_out)
    if config.minutes:
        config = (
            _saved_steps(config)
            if config.resume
            else _fit_minutes(config, generator, pairs, device)
        )
        often = max(1, config.steps // 5)
        config = dataclasses.replace(config, checkpoint_every=min(config.checkpoint_every, often))
    run, state = open_run(
        config.out, config, resume=config.resume, may_change=(*_PLACES, "checkpoint_every")
    )
    division = Division.of(pairs.files, kept_back.files if kept_back else (), config.data_dir)
    if before:
        before.require(division)
    elif distributed.is_main():
        division.save(division_file)
    random_state.seed_all(config.seed + distributed.rank())
    begun = None if state is None else state.get("precision")
    trainer = build_trainer(config, game, pairs, device, begun)
    if state is not None:
        if is_rounding(state["generator"]):
            round_from_now(trainer)
        trainer.load_state_dict(state)
    logger.info(
        "recipe %s: %s by %s at %g", config.recipe, config.pixel_loss, config.optimizer,
        config.learning_rate,
    )  # fmt: skip
    logger.info(
        "training %s on %d pictures (low resolution: %s), %s on %s; results in %s",
        spec, len(division.training), undone, trainer.precision, device, run.folder,
    )  # fmt: skip

    hours = _Hours(device, run.generator if config.resume else None)

    def keep(trainer: Trainer) -> None:
        record = {
            "settings": _settings(config),
            "steps": trainer.step,
            "pictures": len(division.training),
            **hours(),
            "curve": _curve(run.history),
        }
        if earlier:
            record["before"] = earlier
        save_generator(run.generator, spec, folded_state(trainer.sampler), record)

    keeping: list[Callable[[Trainer], None]] = [keep]
    if kept_back is not None:
        if config.degradation != "bicubic":  # which the cache's own twins have undergone
            kept_back = degraded(kept_back, DEGRADATIONS[config.degradation])
        seen = PatchSampler(kept_back, 8, min(config.patch, 48), config.seed).batch(0)
        keeping.append(Samples(seen, run.samples))
    for name, folder in sets.items():
        keeping.append(Samples(middles(folder, spec.scale), run.samples / name))
    scores = validation(kept_back, looked_at, sets, spec.scale)
    rectifiers = RectifierWatch(PatchSampler(pairs, 8, config.patch, config.seed).batch(0))

    def play(until: int) -> bool:
        return run.play(
            trainer,
            until,
            checkpoint_every=config.checkpoint_every,
            log_every=min(100, config.checkpoint_every),
            keep=keeping,
            measure=lambda trainer: {**rectifiers(trainer), **scores(trainer)},
        )

    finished = trainer.step >= config.unrounded_steps or play(config.unrounded_steps)
    if finished and config.quantisation_steps:
        if not is_rounding(trainer.game.generator.state_dict()):
            round_from_now(trainer)
        finished = play(config.steps)
    hours.close()
    if distributed.is_main():
        keep(trainer)
        if finished:
            logger.info("finished; the generator is %s", run.generator)
    distributed.leave()
    return finished


def _named_recipe(arguments: Sequence[str]) -> TrainConfig:
    """Return the settings that the command line starts from: --recipe's, or the machine's."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--recipe")
    name = parser.parse_known_args(arguments)[0].recipe
    if name is None:
        name = "srgan" if torch.cuda.is_available() else "laptop"
    # A name that does not exist is left for the real parser to refuse.
    return RECIPES.get(name, TrainConfig())


def main() -> None:
    """Run ``python -m srgan.train``."""
    run_command(TrainConfig, train, _named_recipe(sys.argv[1:]))


if __name__ == "__main__":
    main()
