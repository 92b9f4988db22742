"""A watch for the ways in which the game breaks off, by the evidence of a few numbers.

Mode collapse, the 2014 paper's "Helvetica scenario": the generator sends most of its noise to few
points. Two numbers of a fixed batch of samples show it, each as a share of what data give: the
mean distance between two samples, and in how many places they lie, as the perplexity of the nearest
of fifty fixed data.

Noise: samples differ from each other, and from all data. A third number shows it: how much farther
a sample lies from the nearest of the data than further data do.

A discriminator that has run away: its loss is next to nothing for hundreds of steps. What the
generator could learn from it vanishes. And where samples are no longer finite, all is over at once.
"""

import copy
import dataclasses
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.command import UserError
from core.divergence import Diverged
from core.trainer import StepReport, Trainer

__all__ = ["PLACES", "CollapseWatch", "Collapsed", "Likeness", "likeness"]

# A sound run starts with equal samples, so only what has once been there can be lost, and a
# generator is given so many checks to begin with.
_GROWN, _LOST = 0.5, 0.25
_PATIENCE = 3
_FIRST_CHECKS = 20
# Good samples are near 0, a blur is below 0.2, and independent pixels are above 0.6.
_ASTRAY = 0.5
# Share of the loss of a discriminator that guesses.
_NOTHING_LEFT = 0.02
PLACES = 50


class Collapsed(UserError):
    """A run was stopped because the game has broken off; the message is the evidence."""


@dataclass(frozen=True)
class Likeness:
    """What samples have in common with data.

    Attributes:
        distance: mean distance between two, as a share of that between data.
        places: perplexity of the places in which they lie, as a share of the data's.
        astray: how much farther a sample lies from the nearest datum than further data do, as a
            share of the mean distance between data; about 0 for good samples.
    """

    distance: float
    places: float
    astray: float


def _mean_distance(points: Tensor) -> float:
    return float(torch.pdist(points).mean())


def _perplexity(points: Tensor, places: Tensor) -> float:
    nearest = torch.cdist(points, places).argmin(dim=1)
    shares = nearest.bincount(minlength=len(places)).double() / len(points)
    return float(torch.special.entr(shares).sum().exp())


def _nearest_distance(points: Tensor, data: Tensor) -> float:
    return float(torch.cdist(points, data).amin(dim=1).mean())


def likeness(samples: Tensor, data: Tensor, places: Tensor) -> Likeness:
    """Measure samples against as many data, both ``[N, ...]``, and further data as places."""
    samples, data, places = (points.flatten(1) for points in (samples, data, places))
    apart = max(_mean_distance(data), 1e-12)
    return Likeness(
        _mean_distance(samples) / apart,
        _perplexity(samples, places) / _perplexity(data, places),
        (_nearest_distance(samples, data) - _nearest_distance(places, data)) / apart,
    )


class CollapseWatch:
    """An observer that looks at a fixed batch of samples every so many steps.

    Attributes:
        evidence: what was found; empty while the game is sound.
        healthy: the trainer's state some checks before; None at the start.
    """

    def __init__(
        self,
        sampler: Callable[[nn.Module], Tensor],
        data: Tensor,
        every: int,
        guessing_loss: float | None,
        act: Callable[[Trainer, str], None],
        *,
        keep_states: bool = False,
    ) -> None:
        """Watch.

        Args:
            sampler: draws the same 200 or more samples each time, given the generator.
            data: ``[N, ...]``, of which the first 50 are the places, and as many more at least.
            every: steps between checks.
            guessing_loss: what the discriminator's loss costs one that guesses; None where a loss
                has no such bound.
            act: told once, with the evidence.
            keep_states: keep ``healthy``.
        """
        self.sampler = sampler
        self.places, self.data = data[:PLACES], data[PLACES:]
        self.every = every
        self.guessing_loss = guessing_loss
        self.act = act
        self.keep_states = keep_states
        self.evidence = ""
        self.seen: list[Likeness] = []
        self._losses: list[Tensor] = []
        self._suspicions: deque[str] = deque(maxlen=_PATIENCE)
        self._states: deque[dict[str, Any]] = deque(maxlen=_PATIENCE)

    @property
    def healthy(self) -> dict[str, Any] | None:
        """The state before the first of the checks that led to a finding."""
        return self._states[0] if self._states else None

    def after_step(self, trainer: Trainer, report: StepReport) -> None:
        """Keep the discriminator's loss; when it is time, check, and report what was seen.

        Raises:
            Diverged: if the samples are no longer finite.
        """
        loss = report.values.get("discriminator/adversarial")
        if loss is not None:
            self._losses.append(loss)
        if report.step % self.every or self.evidence:
            return
        doubt = self._suspect(trainer, report)
        if self.keep_states and not doubt and not any(self._suspicions):
            self._states.append(copy.deepcopy(trainer.state_dict()))
        self._suspicions.append(doubt)
        self._losses.clear()
        if len(self._suspicions) == _PATIENCE and all(self._suspicions):
            self.evidence = self._suspicions[-1]
            self.act(trainer, f"step {report.step}: {self.evidence}")

    def _suspect(self, trainer: Trainer, report: StepReport) -> str:
        """Return what is wrong at this check, or nothing."""
        samples = self.sampler(trainer.game.generator)
        if not samples.isfinite().all():
            raise Diverged(f"at step {report.step} samples are")
        seen = likeness(samples, self.data[: len(samples)], self.places)
        self.seen.append(seen)
        for name, value in dataclasses.asdict(seen).items():
            report.values[f"watch/{name}"] = torch.tensor(value)
        doubts = (self._lost("distance"), self._lost("places"), self._astray(), self._runaway())
        return next(filter(None, doubts), "")

    def _lost(self, name: str) -> str:
        past = [getattr(seen, name) for seen in self.seen]
        what = {"distance": "the samples' distances", "places": "the places that samples take"}
        if max(past) >= _GROWN and past[-1] < _LOST * max(past):
            return (
                f"mode collapse: {what[name]} fell from {max(past):.0%} to {past[-1]:.0%} of "
                "what data have"
            )
        if len(past) > _FIRST_CHECKS and max(past) < _LOST:
            return f"mode collapse: {what[name]} never grew past {max(past):.0%} of what data have"
        return ""

    def _astray(self) -> str:
        past = [seen.astray for seen in self.seen]
        if past[-1] > _ASTRAY and (min(past) < _ASTRAY / 2 or len(past) > _FIRST_CHECKS):
            return (
                "the samples are unlike any data: they lie farther from the nearest than data do "
                f"by {past[-1]:.0%} of the distance between two data"
            )
        return ""

    def _runaway(self) -> str:
        if self.guessing_loss is None or not self._losses:
            return ""
        loss = float(torch.stack(self._losses).mean())
        if loss < _NOTHING_LEFT * self.guessing_loss:
            return (
                f"the discriminator has run away: its loss is {loss:.4f}, where guessing costs "
                f"{self.guessing_loss:.2f}"
            )
        return ""

    def close(self) -> None:
        """Nothing was begun."""
