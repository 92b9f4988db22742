"""The adversarial training loop: two players, any game, one page."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from core import distributed, random_state
from core.adversarial import win_rate
from core.ema import Ema
from core.game import Batch, Game
from core.phase import Forward, Phase
from core.precision import Precision, autocast
from core.schedule import at

__all__ = ["Batches", "Observer", "Order", "Prepare", "StepReport", "Trainer"]

Order = Literal["alternating", "simultaneous"]
Prepare = Callable[[Batch, int], Batch]


class Batches(Protocol):
    """An endless supply of batches, each a pure function of its index: a position is a number."""

    def batch(self, index: int) -> Batch:
        """Return batch ``index``, the same each time."""


@dataclass
class StepReport:
    """What one step did.

    Attributes:
        step: how many steps are done, this one included.
        values: scalar tensors by name, such as ``discriminator/adversarial``; on the device, so
            that whoever does not read them does not wait for them.
        seconds: that the step took.
        data_wait: of these, the seconds in which there was nothing to do but wait for data.
    """

    step: int
    values: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0
    data_wait: float = 0.0


class Observer(Protocol):
    """Watches training; called after every step, it changes nothing but may add to the report."""

    def after_step(self, trainer: "Trainer", report: StepReport) -> None:
        """Look at the trainer after ``report.step`` steps."""

    def close(self) -> None:
        """Finish what was begun; called once, also when training breaks off."""


class Trainer:
    """Plays a game for a number of steps.

    A step is one move of each phase (``repeats`` of it) in the order given, all on one batch but
    for the repeated moves, which draw a fresh one each. With
    ``order="alternating"`` each move sees the result of the one before, as in Algorithm 1 of
    Goodfellow et al. 2014; with ``"simultaneous"`` all gradients are taken first and then all
    players move, as their published code did.

    Where several processes train together, each draws batches of its own, gradients are averaged
    before each move, and all stop when one is asked to.

    Attributes:
        step: steps done.
        until: steps after which the training under way ends.
        batches_drawn: the loader's position.
        ema: the smoothed generator, or None.
        stop: set it from anywhere to end training after the present step.
    """

    def __init__(
        self,
        game: Game,
        phases: Sequence[Phase],
        batches: Batches,
        *,
        device: torch.device | str = "cpu",
        precision: Precision = "fp32",
        ema_decay: float = 0.0,
        order: Order = "alternating",
        accumulate: int = 1,
        prepare: Prepare | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        """Set the game up.

        Args:
            game: what is played.
            phases: who moves, in this order.
            batches: the data.
            device: where the networks are.
            precision: number format of forward passes.
            ema_decay: of the smoothed generator; 0 for none.
            order: of gradients and moves.
            accumulate: batches whose gradients are averaged for each move.
            prepare: what is done to a batch on the device, given the batch and its index.
            observers: who watches.

        Raises:
            ValueError: if ``order="simultaneous"`` is asked for with a phase that repeats, or
                ``accumulate`` is not positive.
        """
        if accumulate < 1:
            raise ValueError(f"accumulate must be at least 1, not {accumulate}")
        if order == "simultaneous" and any(phase.repeats != 1 for phase in phases):
            raise ValueError("order 'simultaneous' needs repeats = 1 in every phase")
        self.game = game
        self.phases = list(phases)
        self.batches = batches
        self.device = torch.device(device)
        self.precision: Precision = precision
        self.order = order
        self.accumulate = accumulate
        self.prepare = prepare
        self.observers = list(observers)
        self.step = 0
        self.until = 0
        self.batches_drawn = 0
        self.stop = False
        self._waited = 0.0
        for network in (game.generator, game.discriminator):
            distributed.share_weights(network)
        self.ema = Ema(game.generator, ema_decay) if ema_decay else None

    @property
    def sampler(self) -> nn.Module:
        """The generator to sample from: the smoothed one where there is one."""
        return self.ema.network if self.ema else self.game.generator

    def train(self, until: int) -> None:
        """Train until ``until`` steps are done in all."""
        self.until = until
        with ExitStack() as at_the_end, ThreadPoolExecutor(1) as background:
            for observer in reversed(self.observers):
                at_the_end.callback(observer.close)
            supply = self._supply(background)
            while self.step < until and not distributed.agree(self.stop, self.device):
                report = self._play(supply)
                for observer in self.observers:
                    observer.after_step(self, report)

    def _supply(self, background: ThreadPoolExecutor) -> Iterator[Batch]:
        """Yield batches in order, the next one being prepared while the last is used."""

        def mine() -> int:
            return self.batches_drawn * distributed.size() + distributed.rank()

        ahead: Future[Batch] = background.submit(self.batches.batch, mine())
        while True:
            start = time.perf_counter()
            batch, index = ahead.result(), mine()
            self._waited += time.perf_counter() - start
            self.batches_drawn += 1
            ahead = background.submit(self.batches.batch, mine())
            batch = batch.to(self.device)
            yield self.prepare(batch, index) if self.prepare else batch

    def _play(self, supply: Iterator[Batch]) -> StepReport:
        report = StepReport(self.step + 1)
        start, waited = time.perf_counter(), self._waited
        active = [phase for phase in self.phases if phase.moves_at(self.step)]
        batches = self._draw(supply)
        if self.order == "simultaneous":
            for phase in active:
                self._add_gradients(phase, batches, report)
            for phase in active:
                self._move(phase)
        else:
            for phase in active:
                for repeat in range(phase.repeats):
                    batches = self._draw(supply) if repeat else batches
                    self._add_gradients(phase, batches, report)
                    self._move(phase)
        if self.ema:
            self.ema.update(self.game.generator)
        self.step += 1
        report.seconds = time.perf_counter() - start
        report.data_wait = self._waited - waited
        return report

    def _draw(self, supply: Iterator[Batch]) -> list[Batch]:
        return [next(supply) for _ in range(self.accumulate)]

    def _player(self, phase: Phase) -> nn.Module:
        return getattr(self.game, phase.player)  # type: ignore[no-any-return]

    @contextmanager
    def _only(self, phase: Phase) -> Iterator[None]:
        """Let gradients reach the moving player alone."""
        opponent = (
            self.game.generator if phase.player == "discriminator" else self.game.discriminator
        )
        opponent.requires_grad_(False)
        try:
            yield
        finally:
            opponent.requires_grad_(True)

    def _add_gradients(self, phase: Phase, batches: Sequence[Batch], report: StepReport) -> None:
        """Fill the player's gradients: one backward pass a batch, over the sum of all terms."""
        with self._only(phase), autocast(self.precision, self.device):
            for batch in batches:
                forward = Forward(self.game, batch, phase.player)
                losses = []
                for term in phase.terms:
                    factor = term.factor(self.step - phase.start)
                    if factor:
                        value = term.function(forward)
                        losses.append(factor * value)
                        report.values[f"{phase.player}/{term.name}"] = value.detach()
                if losses:
                    (torch.stack(losses).sum() / len(batches)).backward()
                if phase.player == "discriminator" and "fake_logits" in forward.__dict__:
                    report.values["discriminator/win_rate"] = win_rate(
                        forward.real_logits.detach(), forward.fake_logits.detach()
                    )

    def _move(self, phase: Phase) -> None:
        player = self._player(phase)
        step = self.step - phase.start
        for group in phase.optimizer.param_groups:
            group["lr"] = phase.learning_rate(step)
            if phase.momentum is not None:
                group["momentum"] = at(phase.momentum, step)
        distributed.average_gradients(player)
        if phase.clip_norm is not None:
            nn.utils.clip_grad_norm_(player.parameters(), phase.clip_norm)
        phase.optimizer.step()
        phase.optimizer.zero_grad(set_to_none=True)
        if phase.constrain is not None:
            phase.constrain(player)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on."""
        return {
            "step": self.step,
            "batches_drawn": self.batches_drawn,
            "precision": self.precision,
            "generator": self.game.generator.state_dict(),
            "discriminator": self.game.discriminator.state_dict(),
            "optimizers": [phase.optimizer.state_dict() for phase in self.phases],
            "ema": None
            if self.ema is None
            else {"network": self.ema.network.state_dict(), "updates": self.ema.updates},
            "random": distributed.gather(random_state.capture()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to the instant at which ``state`` was taken.

        Raises:
            ValueError: if the state belongs to other networks or phases.
        """
        if len(state["optimizers"]) != len(self.phases) or (state["ema"] is None) != (
            self.ema is None
        ):
            raise ValueError("the checkpoint was written with other phases or another ema setting")
        try:
            self.game.generator.load_state_dict(state["generator"])
            self.game.discriminator.load_state_dict(state["discriminator"])
        except RuntimeError as error:
            raise ValueError(f"the checkpoint holds other networks: {error}") from error
        for phase, optimizer_state in zip(self.phases, state["optimizers"], strict=True):
            phase.optimizer.load_state_dict(optimizer_state)
        if self.ema is not None:
            self.ema.network.load_state_dict(state["ema"]["network"])
            self.ema.updates = state["ema"]["updates"]
        self.step = state["step"]
        self.batches_drawn = state["batches_drawn"]
        self.precision = state.get("precision", self.precision)  # earlier checkpoints have none
        if len(state["random"]) == distributed.size():
            random_state.restore(state["random"][distributed.rank()])
