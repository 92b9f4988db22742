"""A run and its folder: what every training command does the same way."""

import dataclasses
import json
import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from core import distributed
from core.averages import Averages, Sink
from core.checkpoint import load_state, save_state
from core.command import UserError, option
from core.divergence import require_finite_networks
from core.environment import environment
from core.files import appearing, remove_unfinished
from core.history import History, plot_history
from core.progress import Progress
from core.run_log import logged
from core.tensorboard import TensorBoard
from core.trainer import Observer, StepReport, Trainer

__all__ = ["Periodic", "Run", "RunError", "check_run", "open_run", "pick_device"]

logger = logging.getLogger(__name__)

Action = Callable[[Trainer], None]


class RunError(UserError):
    """A run cannot begin or go on as asked; the message says what to change."""


class Periodic:
    """An observer that calls ``action(trainer)`` every ``every`` steps, and at the end."""

    def __init__(self, every: int, action: Action) -> None:
        self.every = every
        self.action = action

    def after_step(self, trainer: Trainer, report: StepReport) -> None:
        """Act when it is time."""
        if report.step % self.every == 0 or report.step == trainer.until:
            self.action(trainer)

    def close(self) -> None:
        """Nothing was begun."""


def _telling(sinks: Sequence[Sink], measure: Callable[[Trainer], Mapping[str, float]]) -> Action:
    def tell(trainer: Trainer) -> None:
        values = measure(trainer)
        for sink in sinks:
            sink.write(trainer.step, values)

    return tell


def pick_device(wanted: str) -> torch.device:
    """Return ``wanted``, or for ``"auto"`` a GPU where there is one."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise RunError(f"device {wanted!r} is not one that torch knows: {error}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise RunError(f"device {wanted!r} is not available: torch sees no GPU")
    return device


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def _write(path: Path, value: Mapping[str, Any]) -> None:
    with appearing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


@dataclass(frozen=True)
class Run:
    """A folder that holds everything about one training run.

    Attributes:
        folder: the folder.
        config: the settings, by name, as they were given.
    """

    folder: Path
    config: Mapping[str, Any]

    @property
    def checkpoint(self) -> Path:
        """The full state, for ``--resume``."""
        return self.folder / "checkpoint.safetensors"

    @property
    def generator(self) -> Path:
        """The generator to sample from or to export."""
        return self.folder / "generator.safetensors"

    @property
    def history(self) -> Path:
        """Averages of losses and scores over the steps."""
        return self.folder / "history.jsonl"

    @property
    def log(self) -> Path:
        """What was said while it trained, warnings above all."""
        return self.folder / "log.txt"

    @property
    def samples(self) -> Path:
        """Folder of pictures made on the way."""
        return self.folder / "samples"

    def save(self, trainer: Trainer) -> None:
        """Write the full state; all processes must call this.

        Raises:
            Diverged: if weights are no longer finite; what was written before stays.
        """
        require_finite_networks(trainer.step, (trainer.game.generator, trainer.game.discriminator))
        state = {"config": _plain(self.config), "trainer": trainer.state_dict()}
        if distributed.is_main():
            save_state(self.checkpoint, state)

    def plot(self, _trainer: Trainer) -> None:
        """Draw what led to the present step."""
        plot_history(self.history, self.folder / "losses.png")

    def play(
        self,
        trainer: Trainer,
        until: int,
        *,
        observers: Sequence[Observer] = (),
        checkpoint_every: int,
        log_every: int,
        keep: Sequence[Action] = (),
        measure: Callable[[Trainer], Mapping[str, float]] | None = None,
    ) -> bool:
        """Train ``trainer`` until ``until`` steps are done, with the usual observers.

        What observers add to a step's report is kept beside the losses. At each checkpoint, and at
        the end, the checkpoint comes first, so that nothing is lost where what follows it fails:
        ``keep`` is done, and ``measure``'s numbers are kept beside the losses too. Of several
        processes only the main one does all that.

        Ctrl-C or SIGTERM ends the run after the present step, with a checkpoint.

        Returns:
            Whether it came to its end rather than being interrupted.

        Raises:
            Diverged: if losses or weights are no longer finite; the checkpoint is an earlier one.
        """
        trainer.observers = [Periodic(checkpoint_every, self.save)]
        if distributed.is_main():
            progress = Progress(until, trainer.step)
            sinks: list[Sink] = [
                History(self.history, trainer.step),
                TensorBoard(self.folder / "tensorboard", trainer.step),
                progress,
            ]
            actions = [*keep, *([_telling(sinks, measure)] if measure else []), self.plot]
            trainer.observers = [
                progress,
                *observers,  # first: what they add to a step's report is averaged like the rest
                Averages(sinks, log_every),
                *trainer.observers,
                *(Periodic(checkpoint_every, action) for action in actions),
            ]
        with logged(self.log), _stop_on_signal(trainer):
            trainer.train(until)
        if trainer.step < until:
            self.save(trainer)
            if distributed.is_main():
                self.plot(trainer)
            logger.info("stopped at step %d; --resume goes on from there", trainer.step)
        return trainer.step >= until


@contextmanager
def _stop_on_signal(trainer: Trainer) -> Iterator[None]:
    def ask(_number: int, _frame: FrameType | None) -> None:
        trainer.stop = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_run(folder: Path, *, resume: bool) -> None:
    """See that a run can begin in a folder, or go on there, before data are read for it.

    Raises:
        RunError: if a new run would overwrite one, or there is nothing to go on from.
    """
    held = Run(folder, {}).checkpoint.exists()
    if held and not resume:
        raise RunError(f"{folder} already holds a run: add --resume, or name another --out")
    if resume and not held:
        raise RunError(f"{folder} holds no checkpoint to resume from")


def open_run(
    folder: Path, config: Any, *, resume: bool, may_change: Sequence[str] = ()
) -> tuple[Run, dict[str, Any] | None]:
    """Open a run folder for a new run, or for one that goes on.

    A new run keeps its settings in ``config.json``, and in ``environment.json`` what it runs on.

    Args:
        folder: made if need be.
        config: a dataclass with the run's settings.
        resume: go on from the folder's checkpoint.
        may_change: settings that may differ from the checkpoint's.

    Returns:
        The run, and the trainer's state to load where it goes on.

    Raises:
        RunError: if a new run would overwrite one, there is nothing to go on from, or a setting
            differs from the one that the run began with.
        CheckpointError: if the checkpoint cannot be read.
    """
    run = Run(folder, _plain(dataclasses.asdict(config)))
    if not resume and not distributed.is_main():
        return run, None
    check_run(folder, resume=resume)
    if distributed.is_main():
        remove_unfinished(folder)
    if not resume:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "environment.json", environment())
        _write(folder / "config.json", run.config)
        return run, None
    state = load_state(run.checkpoint)
    if not {"config", "trainer"} <= state.keys():
        raise RunError(
            f"{run.checkpoint} does not hold the state of a run: put the run's own file back, or "
            "begin a new one"
        )
    for name, before in state["config"].items():
        now = run.config.get(name)
        if now != before and name not in may_change:
            raise RunError(f"{option(name)} was {before!r} when the run began and is {now!r} now")
    trainer_state: dict[str, Any] = state["trainer"]
    return run, trainer_state
