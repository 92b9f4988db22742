"""A run's folder: never overwritten, resumed only with the settings that it began with."""

import json
import logging
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from core.checkpoint import load_state, save_state
from core.divergence import Diverged
from core.history import read_history
from core.run import Periodic, Run, RunError, open_run, pick_device
from core.run_log import read_warnings
from core.trainer import Trainer
from tests.core.games import DiracGame, dirac_trainer


@dataclass(frozen=True)
class Config:
    out: Path = Path("x")
    batch_size: int = 4
    rates: tuple[float, ...] = (0.1, 0.2)
    epochs: int = 3


def play(
    run: Run,
    trainer: Trainer,
    until: int,
    *,
    action: Callable[[Trainer], None] = lambda _trainer: None,
    measure: Callable[[Trainer], Mapping[str, float]] | None = None,
) -> bool:
    return run.play(
        trainer,
        until,
        observers=[Periodic(1, action)],
        checkpoint_every=4,
        log_every=2,
        measure=measure,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one"


@pytest.fixture
def run(folder: Path) -> Run:
    run, state = open_run(folder, Config(), resume=False)
    assert state is None
    return run


def test_a_run_leaves_settings_numbers_events_a_plot_and_a_checkpoint(run: Run) -> None:
    assert play(run, dirac_trainer(DiracGame()), 6)
    assert {p.name for p in run.folder.iterdir()} == {
        "config.json",
        "checkpoint.safetensors",
        "environment.json",
        "history.jsonl",
        "losses.png",
        "tensorboard",
    }
    assert json.loads((run.folder / "config.json").read_text()) == {
        "out": "x",
        "batch_size": 4,
        "rates": [0.1, 0.2],
        "epochs": 3,
    }
    assert [record["step"] for record in read_history(run.history)] == [2, 4, 6]
    assert load_state(run.checkpoint)["trainer"]["step"] == 6


def test_checkpoints_are_written_on_the_way_and_at_the_end(run: Run) -> None:
    seen: list[int | None] = []

    def look(_trainer: Trainer) -> None:
        exists = run.checkpoint.exists()
        seen.append(load_state(run.checkpoint)["trainer"]["step"] if exists else None)

    play(run, dirac_trainer(DiracGame()), 9, action=look)
    assert seen == [None, None, None, None, 4, 4, 4, 4, 8]
    assert load_state(run.checkpoint)["trainer"]["step"] == 9


def test_measurements_are_kept_beside_the_losses(run: Run) -> None:
    play(run, dirac_trainer(DiracGame()), 9, measure=lambda t: {"validation/x": float(t.step)})
    measured = [r for r in read_history(run.history) if "validation/x" in r]
    assert measured == [{"step": step, "validation/x": float(step)} for step in (4, 8, 9)]


def test_a_checkpoint_comes_before_what_may_fail_after_it(run: Run) -> None:
    """Validation and the pictures that are kept, but not the losses, which lead to it."""

    def look(_trainer: Trainer) -> None:
        assert load_state(run.checkpoint)["trainer"]["step"] == 4
        assert read_history(run.history)[-1]["step"] == 4
        raise OSError("the disk is full")

    def measure(trainer: Trainer) -> Mapping[str, float]:
        look(trainer)
        return {}

    with pytest.raises(OSError, match="full"):
        play(run, dirac_trainer(DiracGame()), 9, measure=measure)
    with pytest.raises(OSError, match="full"):
        run.play(dirac_trainer(DiracGame()), 9, checkpoint_every=4, log_every=2, keep=[look])


@pytest.mark.parametrize("checkpoint_every", [4, 5])
@pytest.mark.parametrize("rate", [float("inf"), float("nan")])
def test_a_diverged_run_stops_and_leaves_the_last_sound_checkpoint(
    run: Run, checkpoint_every: int, rate: float
) -> None:
    """Whether the step after which weights are lost is one of a checkpoint, or the next one is."""

    def schedule(step: int) -> float:
        return 0.1 if step < 4 + 3 else rate

    trainer = dirac_trainer(DiracGame())
    for phase in trainer.phases:
        phase.learning_rate = schedule
    kept: list[int] = []
    with pytest.raises(Diverged, match="--learning-rate"):
        run.play(
            trainer, 20, checkpoint_every=checkpoint_every, log_every=10,
            keep=[lambda trainer: kept.append(trainer.step)],
        )  # fmt: skip
    assert trainer.step == 2 * checkpoint_every
    state = load_state(run.checkpoint)["trainer"]
    assert state["step"] == checkpoint_every
    assert kept == [checkpoint_every]
    assert all(value.isfinite().all() for value in state["generator"].values())


def test_the_last_steps_losses_are_kept_where_the_run_ends_between_two_averages(run: Run) -> None:
    play(run, dirac_trainer(DiracGame()), 5)
    assert [record["step"] for record in read_history(run.history)] == [2, 4, 5]


def test_a_new_run_does_not_overwrite_one(run: Run) -> None:
    play(run, dirac_trainer(DiracGame()), 1)
    before = run.checkpoint.read_bytes()
    with pytest.raises(RunError, match=r"--resume.*--out"):
        open_run(run.folder, Config(), resume=False)
    assert run.checkpoint.read_bytes() == before


def test_what_a_killed_process_left_is_removed(run: Run) -> None:
    play(run, dirac_trainer(DiracGame()), 1)
    left = run.folder / ".checkpoint.4711.part.safetensors"
    left.touch()
    open_run(run.folder, Config(), resume=True)
    assert not left.exists()


def test_warnings_are_kept_in_the_folder(run: Run) -> None:
    def warn(trainer: Trainer) -> None:
        logging.getLogger("core").warning("step %d", trainer.step)

    play(run, dirac_trainer(DiracGame()), 2, action=warn)
    assert [text for _, text in read_warnings(run.log)] == ["step 1", "step 2"]


def test_a_run_that_goes_on_keeps_the_environment_that_it_began_in(run: Run) -> None:
    play(run, dirac_trainer(DiracGame()), 1)
    before = (run.folder / "environment.json").read_bytes()
    open_run(run.folder, Config(), resume=True)
    assert (run.folder / "environment.json").read_bytes() == before


def test_there_must_be_something_to_resume(run: Run) -> None:
    with pytest.raises(RunError, match="no checkpoint"):
        open_run(run.folder, Config(), resume=True)
    with pytest.raises(RunError, match="no checkpoint"):
        open_run(run.folder / "none", Config(), resume=True)


def test_another_file_in_the_checkpoints_place_is_named(run: Run) -> None:
    save_state(run.checkpoint, {"generator": {"name": "light"}, "weights": {}})
    with pytest.raises(RunError, match=r"checkpoint.safetensors does not hold the state of a run"):
        open_run(run.folder, Config(), resume=True)


@pytest.mark.parametrize(
    ("changed", "option"),
    [
        (replace(Config(), batch_size=5), r"--batch-size was 4 .* is 5"),
        (replace(Config(), rates=(0.1,)), r"--rates was \[0.1, 0.2\] .* is \[0.1\]"),
    ],
)
def test_a_changed_setting_is_refused_by_its_option(run: Run, changed: Config, option: str) -> None:
    play(run, dirac_trainer(DiracGame()), 1)
    with pytest.raises(RunError, match=option):
        open_run(run.folder, changed, resume=True, may_change=("out", "epochs"))


def test_settings_that_may_change_may_and_the_state_comes_back(run: Run) -> None:
    trainer = dirac_trainer(DiracGame())
    play(run, trainer, 5)
    changed = replace(Config(), epochs=99, out=Path("y"))
    again, state = open_run(run.folder, changed, resume=True, may_change=("out", "epochs"))
    assert state is not None
    fresh = dirac_trainer(DiracGame(9.0, 9.0))
    fresh.load_state_dict(state)
    assert fresh.step == 5
    assert again.config["epochs"] == 99
    assert torch.equal(
        fresh.game.generator.state_dict()["theta"], trainer.game.generator.state_dict()["theta"]
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_present_step_with_a_checkpoint(
    run: Run, number: signal.Signals
) -> None:
    before = signal.getsignal(number)

    def interrupt(trainer: Trainer) -> None:
        if trainer.step == 3:
            os.kill(os.getpid(), number)

    trainer = dirac_trainer(DiracGame())
    assert not play(run, trainer, 100, action=interrupt)
    assert 3 <= trainer.step <= 4  # the handler may run after the loop has looked
    assert load_state(run.checkpoint)["trainer"]["step"] == trainer.step
    assert signal.getsignal(number) is before


def test_signals_are_handed_back_when_training_fails(run: Run) -> None:
    def fail(_trainer: Trainer) -> None:
        raise RuntimeError("full")

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(RuntimeError, match="full"):
        play(run, dirac_trainer(DiracGame()), 3, action=fail)
    assert signal.getsignal(signal.SIGTERM) is before


def test_devices() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(RunError, match="'gpu'"):
        pick_device("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(RunError, match="'cuda'"):
        pick_device("cuda")
