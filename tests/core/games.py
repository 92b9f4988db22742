"""Games so small that a step can be worked out by hand."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.adversarial import adversarial_loss
from core.game import Batch
from core.phase import Phase, Term, adversarial_discriminator_term, adversarial_generator_term
from core.schedule import constant
from core.trainer import Batches, Order, StepReport, Trainer


class Point(nn.Module):
    """A generator whose every sample is ``theta``."""

    def __init__(self, theta: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(theta))

    def forward(self, like: Tensor) -> Tensor:
        return self.theta.expand_as(like)


class Slope(nn.Module):
    """A discriminator whose logit is ``psi`` times the sample."""

    def __init__(self, psi: float) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(psi))

    def forward(self, sample: Tensor) -> Tensor:
        return self.psi * sample


class DiracGame:
    """Mescheder et al. 2018: one number against another; it remembers what was drawn."""

    def __init__(self, theta: float = 0.7, psi: float = -0.4) -> None:
        self.generator = Point(theta)
        self.discriminator = Slope(psi)
        self.seen: list[float] = []

    def fake(self, batch: Batch) -> Tensor:
        self.seen.append(float(batch.real[0, 0]))
        fake: Tensor = self.generator(batch.real)
        return fake

    def score(self, sample: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.discriminator(sample)
        return logits

    @property
    def position(self) -> tuple[float, float]:
        return self.generator.theta.item(), self.discriminator.psi.item()


class Counting:
    """Batch ``i`` is two samples of the value ``first + i``."""

    def __init__(self, first: float = 1.0, pace: float = 1.0) -> None:
        self.first = first
        self.pace = pace

    def batch(self, index: int) -> Batch:
        return Batch(torch.full((2, 1), self.first + self.pace * index))


class Log:
    """An observer that keeps the reports."""

    def __init__(self) -> None:
        self.reports: list[StepReport] = []
        self.closed = 0

    def after_step(self, trainer: Trainer, report: StepReport) -> None:  # noqa: ARG002
        self.reports.append(report)

    def close(self) -> None:
        self.closed += 1


def sgd(network: nn.Module, rate: float = 0.1) -> torch.optim.SGD:
    return torch.optim.SGD(network.parameters(), lr=rate)


def dirac_trainer(
    game: DiracGame,
    *,
    rate: float = 0.1,
    loss: str = "non-saturating",
    order: Order = "alternating",
    repeats: int = 1,
    start: int = 0,
    batches: Batches | None = None,
    ema_decay: float = 0.0,
) -> Trainer:
    """Both players by plain SGD, the discriminator first."""
    pair = adversarial_loss(loss)
    return Trainer(
        game,
        [
            Phase(
                "discriminator",
                sgd(game.discriminator),
                [adversarial_discriminator_term(pair)],
                constant(rate),
                repeats=repeats,
                start=start,
            ),
            Phase(
                "generator",
                sgd(game.generator),
                [adversarial_generator_term(pair)],
                constant(rate),
            ),
        ],
        Counting() if batches is None else batches,
        order=order,
        ema_decay=ema_decay,
    )


def generator_trainer(game: DiracGame, terms: Sequence[Term], **settings: object) -> Trainer:
    """The generator alone, by SGD of rate 1: it moves by minus the gradient."""
    phase = Phase("generator", sgd(game.generator), terms, constant(1.0), **settings)  # type: ignore[arg-type]
    return Trainer(game, [phase], Counting())


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
