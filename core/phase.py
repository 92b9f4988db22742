"""Phases, terms and the lazy forward they share: who moves, and what pulls at them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.adversarial import AdversarialLoss
from core.game import Batch, Game
from core.schedule import Schedule, at

__all__ = [
    "Forward",
    "Phase",
    "Player",
    "Term",
    "adversarial_discriminator_term",
    "adversarial_generator_term",
]

Player = Literal["discriminator", "generator"]


class Forward:
    """One batch as one phase sees it: each quantity is computed once, when first asked for.

    Only what the moving player needs is kept for the backward pass: in the discriminator's phase
    samples are made without a graph, in the generator's phase real logits are.

    Attributes:
        game: the game that is played.
        batch: the data.
        player: who moves.
    """

    def __init__(self, game: Game, batch: Batch, player: Player) -> None:
        self.game = game
        self.batch = batch
        self.player = player

    @property
    def real(self) -> Tensor:
        """Samples of the data, ``[N, ...]``."""
        return self.batch.real

    @cached_property
    def fake(self) -> Tensor:
        """Samples of the generator, ``[N, ...]``."""
        with torch.set_grad_enabled(self.player == "generator"):
            return self.game.fake(self.batch)

    @cached_property
    def real_logits(self) -> Tensor:
        """D's logits for the data."""
        with torch.set_grad_enabled(self.player == "discriminator"):
            return self.game.score(self.real, self.batch)

    @cached_property
    def fake_logits(self) -> Tensor:
        """D's logits for the generator's samples."""
        return self.game.score(self.fake, self.batch)


@dataclass(frozen=True)
class Term:
    """A named summand of a player's loss.

    Attributes:
        name: how it is logged.
        function: maps the phase's forward to a scalar.
        weight: its factor, a number or a schedule; where it is 0 the term is not computed.
        every: compute it at every n-th step only, n times as strong (lazy regularisation, Karras
            et al. 2020). It shares the backward pass of the step that it falls on, so the number
            of optimiser steps, and with it Adam's betas and learning rate, stay as they are.
    """

    name: str
    function: Callable[[Forward], Tensor]
    weight: float | Schedule = 1.0
    every: int = 1

    def factor(self, step: int) -> float:
        """Return what the term is multiplied by at ``step``; 0 where it is not due."""
        return at(self.weight, step) * self.every if step % self.every == 0 else 0.0


@dataclass
class Phase:
    """One player's move within a step.

    A player may have several phases, one after the other, with an optimiser and terms for each.
    Schedules and lazy terms count steps from the phase's start.

    Attributes:
        player: whose parameters move.
        optimizer: over that player's parameters.
        terms: the loss, as a weighted sum.
        learning_rate: a schedule over steps.
        momentum: a schedule over steps, for optimisers that have one.
        repeats: moves a step, each on a batch of its own: the k of the 2014 paper's Algorithm 1.
        start: the first step at which this player moves.
        stop: the first step at which it does no more; None where it always does.
        clip_norm: largest norm of the whole gradient; None leaves it alone.
        constrain: called on the player after each move, to project its weights.
    """

    player: Player
    optimizer: Optimizer
    terms: Sequence[Term]
    learning_rate: Schedule
    momentum: Schedule | None = None
    repeats: int = 1
    start: int = 0
    stop: int | None = None
    clip_norm: float | None = None
    constrain: Callable[[nn.Module], None] | None = None

    def moves_at(self, step: int) -> bool:
        """Return whether the player moves at ``step``."""
        return self.start <= step and (self.stop is None or step < self.stop)


def adversarial_discriminator_term(loss: AdversarialLoss, weight: float | Schedule = 1.0) -> Term:
    """Return the discriminator's side of an adversarial loss as a term."""
    return Term(
        "adversarial",
        lambda forward: loss.discriminator(
            forward.real_logits.float(), forward.fake_logits.float()
        ),
        weight,
    )


def adversarial_generator_term(loss: AdversarialLoss, weight: float | Schedule = 1.0) -> Term:
    """Return the generator's side of an adversarial loss as a term."""

    def function(forward: Forward) -> Tensor:
        fake = forward.fake_logits.float()
        real = forward.real_logits.float() if loss.relativistic else fake.detach()
        return loss.generator(real, fake)

    return Term("adversarial", function, weight)
