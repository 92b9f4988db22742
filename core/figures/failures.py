"""Two ways in which the game breaks off, provoked: pictures of each, and what the watch says of it.

Run ``python -m core.figures.failures``. Data are 25 narrow Gaussians on a grid. In the "Helvetica
scenario" the generator trains on while the discriminator rests, and sends all noise to the point
that the discriminator likes best (Goodfellow et al. 2014, section 6). A discriminator runs away
where it learns for a while before the generator, far from all data, begins to.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from core.collapse import CollapseWatch
from core.command import UserError, run_command
from core.evaluation.gaussians import OBJECTIVES, GridBatches, grid_trainer
from core.files import appearing
from core.trainer import StepReport, Trainer

__all__ = ["FAILURES", "Failure", "FailuresConfig", "Played", "make", "play"]

logger = logging.getLogger(__name__)

_GUESSING = 1.386  # log 4, what the discriminator's loss costs one that guesses
_EVERY = 25  # steps between the watch's checks


@dataclass(frozen=True)
class FailuresConfig:
    """How long the players have to fail, and where the picture goes.

    Attributes:
        out: the picture.
        steps: at most so many for each failure.
        seed: everything random follows from it.
    """

    out: Path = Path("figures/failures.png")
    steps: int = 4000
    seed: int = 0

    def __post_init__(self) -> None:
        least = 1 + max(failure.begins for failure in FAILURES.values())
        if self.steps < least:
            raise UserError(f"--steps must be at least {least}, not {self.steps}")


@dataclass(frozen=True)
class Failure:
    """A game that is bound to fail.

    Attributes:
        begins: the step from which one player moves alone, or no longer does.
        make: returns the trainer, given a seed, a number of steps and ``begins``.
    """

    begins: int
    make: Callable[[int, int, int], Trainer]


def _resting_discriminator(seed: int, steps: int, begins: int) -> Trainer:
    trainer = grid_trainer(OBJECTIVES["non-saturating + R1"], seed, steps, width=64)
    discriminator, _ = trainer.phases
    learning_rate = discriminator.learning_rate
    discriminator.learning_rate = lambda step: learning_rate(step) if step < begins else 0.0
    return trainer


def _head_start(seed: int, steps: int, begins: int) -> Trainer:
    trainer = grid_trainer(OBJECTIVES["minimax"], seed, steps, width=64)
    *_, last_bias = trainer.game.generator.parameters()
    nn.init.constant_(last_bias, 20.0)
    trainer.phases[1].start = begins
    return trainer


FAILURES: Mapping[str, Failure] = MappingProxyType(
    {
        "mode collapse": Failure(400, _resting_discriminator),
        "discriminator runs away": Failure(100, _head_start),
    }
)


@dataclass(frozen=True)
class Played:
    """What was seen of a game that failed.

    Attributes:
        evidence: what the watch said; empty if it said nothing.
        moments: samples ``[200, 2]`` by the step at which they were drawn: as it begins, and in the
            end.
        losses: of the discriminator, at each step.
    """

    evidence: str
    moments: Mapping[int, Tensor]
    losses: list[float]


class _Losses:
    """An observer that keeps the discriminator's loss."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def after_step(self, trainer: Trainer, report: StepReport) -> None:  # noqa: ARG002
        self.values.append(float(report.values["discriminator/adversarial"]))

    def close(self) -> None:
        pass


def play(name: str, seed: int, steps: int) -> Played:
    """Play the game that fails as ``name`` says until the watch finds out, or to the end."""
    failure = FAILURES[name]
    trainer = failure.make(seed, steps, failure.begins)
    noise = torch.randn(200, 16, generator=torch.Generator().manual_seed(1))
    said: list[str] = []

    def draw(network: nn.Module) -> Tensor:
        with torch.no_grad():
            samples: Tensor = network(noise)
        return samples

    def act(trainer: Trainer, evidence: str) -> None:
        said.append(evidence)
        trainer.stop = True

    losses = _Losses()
    data = GridBatches(250, seed=9).batch(0).real
    trainer.observers = [losses, CollapseWatch(draw, data, _EVERY, _GUESSING, act)]
    moments = {}
    for until in (failure.begins, steps):
        trainer.train(until)
        moments[trainer.step] = draw(trainer.game.generator)
    return Played("".join(said), moments, losses.values)


def _draw_moment(axis: Axes, data: Tensor, samples: Tensor, step: int) -> None:
    axis.scatter(data[:, 0], data[:, 1], s=2, color="0.7", label="data")
    axis.scatter(samples[:, 0], samples[:, 1], s=4, color="tab:green", label="samples")
    axis.set(xticks=(), yticks=())
    axis.set_title(f"step {step}", fontsize=9)


def _draw_losses(axis: Axes, losses: list[float]) -> None:
    axis.semilogy(losses, linewidth=0.7)
    axis.axhline(_GUESSING, color="0.5", linestyle=":")
    axis.set_title("loss of D (dotted: guessing)", fontsize=9)
    axis.tick_params(labelsize=7)


def make(config: FailuresConfig) -> bool:
    """Play each game and draw a row for it: samples as it begins and in the end, and D's loss."""
    figure = Figure(figsize=(8, 2.7 * len(FAILURES)), dpi=80, layout="constrained")
    rows = figure.add_gridspec(len(FAILURES), 1)
    data = GridBatches(500, seed=9).batch(0).real
    for place, name in enumerate(FAILURES):
        played = play(name, config.seed, config.steps)
        evidence = played.evidence or f"{name}: not found in {config.steps} steps"
        logger.info("%s", evidence)
        row = figure.add_subfigure(rows[place])
        row.suptitle(evidence, fontsize=9)
        *scatters, last = row.subplots(1, 3)
        for axis, (step, samples) in zip(scatters, played.moments.items(), strict=True):
            _draw_moment(axis, data, samples, step)
        scatters[0].legend(fontsize=7)
        _draw_losses(last, played.losses)
    with appearing(config.out) as temporary:
        figure.savefig(temporary, format="png")
    return True


if __name__ == "__main__":
    run_command(FailuresConfig, make)
