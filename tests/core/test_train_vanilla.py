"""``python -m core.train_vanilla``: settings, the run's folder, and runs that are killed."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core import train_vanilla
from core.adversarial import LOSSES, LossName
from core.checkpoint import load_state
from core.command import UserError
from core.datasets import DataUnavailableError, ShuffledBatches
from core.train_vanilla import VanillaConfig, build_game, build_trainer, train
from core.trainer import Trainer
from tests.core.test_resume import assert_identical
from tests.programs import run, start

SMALL = VanillaConfig(
    dataset="digits",
    epochs=2,
    sample_every=1,
    batch_size=300,
    hidden=8,
    learning_rate=0.05,
    device="cpu",
)
COMMAND = ["-m", "core.train_vanilla", "--dataset", "digits", "--epochs", "6",
           "--sample-every", "1", "--batch-size", "100", "--hidden", "16",
           "--device", "cpu"]  # fmt: skip
STEPS_AN_EPOCH = 14


def trainer_of(config: VanillaConfig, batches: ShuffledBatches) -> Trainer:
    game = build_game(config, batches.pictures)
    return build_trainer(config, game, batches, torch.device("cpu"))


def generator_of(folder: Path) -> dict[str, object]:
    state = load_state(folder / "generator.safetensors")
    return {"weights": state["weights"], "steps": state["training"]["steps"]}


def test_a_run_leaves_samples_a_checkpoint_and_the_smoothed_generator(tmp_path: Path) -> None:
    assert train(replace(SMALL, out=tmp_path / "run"))
    folder = tmp_path / "run"
    assert {p.name for p in folder.iterdir()} == {
        "checkpoint.safetensors", "config.json", "generator.safetensors", "history.jsonl",
        "losses.png", "samples", "tensorboard",
    }  # fmt: skip
    assert [p.name for p in sorted((folder / "samples").iterdir())] == [
        "0000004.png",
        "0000008.png",
    ]
    generator = load_state(folder / "generator.safetensors")
    assert generator["shape"] == [1, 8, 8]
    assert generator["hidden"] == 8
    state = load_state(folder / "checkpoint.safetensors")["trainer"]
    assert state["step"] == 8
    assert_identical(generator["weights"], state["ema"]["network"])
    assert state["generator"]["layers.0.weight"].shape == (8, 100)


def test_two_runs_with_one_seed_are_equal_and_with_two_are_not(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(replace(SMALL, out=tmp_path / name, seed=seed, epochs=1))
    assert_identical(generator_of(tmp_path / "a"), generator_of(tmp_path / "b"))
    with pytest.raises(AssertionError):
        assert_identical(generator_of(tmp_path / "a"), generator_of(tmp_path / "c"))


def test_more_epochs_may_be_added_to_a_finished_run(tmp_path: Path) -> None:
    train(replace(SMALL, out=tmp_path / "whole"))
    train(replace(SMALL, out=tmp_path / "parts", epochs=1))
    train(replace(SMALL, out=tmp_path / "parts", resume=True))
    assert_identical(generator_of(tmp_path / "parts"), generator_of(tmp_path / "whole"))


def test_the_published_settings_are_the_defaults() -> None:
    config = VanillaConfig()
    batches = ShuffledBatches(torch.rand(1000, 1, 28, 28), config.batch_size)
    trainer = trainer_of(config, batches)
    discriminator, generator = trainer.phases
    for phase in (discriminator, generator):
        assert phase.learning_rate(0) == 0.1
        assert phase.learning_rate(1000) == pytest.approx(0.1 / 1.000004**1000)
        assert phase.learning_rate(10**8) == 1e-6
        assert callable(phase.momentum)
        assert phase.momentum(0) == 0.5
        assert phase.momentum(125 * 10) == pytest.approx(0.6)
        assert phase.momentum(250 * 10) == pytest.approx(0.7)
    assert discriminator.constrain is not None
    with torch.no_grad():
        for parameter in trainer.game.discriminator.parameters():
            parameter.fill_(1.0)
    discriminator.constrain(trainer.game.discriminator)
    first = trainer.game.discriminator.state_dict()["layers.2.linear.weight"]
    assert torch.allclose(first.norm(dim=1), torch.tensor(1.9365))


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_can_be_chosen(loss: LossName) -> None:
    config = replace(SMALL, loss=loss)
    batches = ShuffledBatches(torch.rand(20, 1, 4, 4), 5)
    trainer = trainer_of(config, batches)
    before = [p.detach().clone() for p in trainer.game.generator.parameters()]
    trainer.train(2)
    after = list(trainer.game.generator.parameters())
    assert all(torch.isfinite(p).all() for p in after)
    assert not all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "--epochs must be at least 1, not 0"),
        ({"hidden": -2}, "--hidden must be at least 1, not -2"),
        ({"discriminator_steps": 0}, "--discriminator-steps must be at least 1"),
        ({"learning_rate": float("nan")}, "--learning-rate must be positive, not nan"),
        ({"ema": 1.0}, "--ema must be at least 0 and below 1, not 1.0"),
        ({"seed": -1}, "--seed must be at least 0, not -1"),
        (
            {"order": "simultaneous", "discriminator_steps": 2},
            "--order simultaneous needs --discriminator-steps 1",
        ),
    ],
)
def test_a_wrong_setting_is_refused_by_its_option(change: dict[str, int], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(SMALL, **change)  # type: ignore[arg-type]


def test_a_batch_larger_than_the_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--batch-size: .* 1497 samples .* not 2000"):
        train(replace(SMALL, out=tmp_path / "run", batch_size=2000))
    assert not (tmp_path / "run").exists()


def test_without_smoothing_the_generator_itself_is_kept(tmp_path: Path) -> None:
    train(replace(SMALL, out=tmp_path / "run", ema=0.0, epochs=1))
    state = load_state(tmp_path / "run" / "checkpoint.safetensors")["trainer"]
    assert state["ema"] is None
    assert_identical(
        load_state(tmp_path / "run" / "generator.safetensors")["weights"], state["generator"]
    )


def test_missing_mnist_leaves_no_run_behind(
    offline: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    with pytest.raises(DataUnavailableError, match="digits"):
        train(replace(SMALL, dataset="mnist", data_dir=tmp_path / "data", out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_missing_mnist_is_exit_code_2_and_a_sentence(
    offline: None,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["train", "--data-dir", str(tmp_path), "--out", str(tmp_path / "run")]
    )
    with pytest.raises(SystemExit) as end:
        train_vanilla.main()
    assert end.value.code == 2
    written = capsys.readouterr().err
    assert written.startswith(f"error: MNIST is not in {tmp_path}/MNIST/raw")
    assert "--dataset digits" in written


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("unbroken")
    code, output = run(*COMMAND, "--out", folder)
    assert code == 0, output
    return generator_of(folder)


def end_after(
    process: "subprocess.Popen[str]", number: signal.Signals, due: Callable[[], bool]
) -> int:
    """Send a signal as soon as ``due``; return the exit code."""
    with process:
        while process.poll() is None and not due():
            time.sleep(0.005)
        process.send_signal(number)
        process.communicate(timeout=120)
    return process.returncode


def lines_of(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0


@pytest.mark.slow
def test_a_run_that_is_killed_twice_ends_as_an_unbroken_one(
    unbroken: dict[str, object], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    checkpoint = folder / "checkpoint.safetensors"
    # once just after the first checkpoint, once wherever a later epoch's plot finds it
    code = end_after(start(*COMMAND, "--out", folder), signal.SIGKILL, checkpoint.exists)
    assert code == -signal.SIGKILL
    resume = [*COMMAND, "--out", str(folder), "--resume"]
    code = end_after(
        start(*resume), signal.SIGKILL, lambda: lines_of(folder / "history.jsonl") >= 3
    )
    assert code == -signal.SIGKILL
    reached = load_state(checkpoint)["trainer"]["step"]
    assert STEPS_AN_EPOCH <= reached < 6 * STEPS_AN_EPOCH
    code, output = run(*resume)
    assert code == 0, output
    assert_identical(generator_of(folder), unbroken)
    assert lines_of(folder / "history.jsonl") == 6


@pytest.mark.slow
def test_a_terminated_run_leaves_a_checkpoint_and_says_130(
    unbroken: dict[str, object], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    samples = folder / "samples" / f"{2 * STEPS_AN_EPOCH:07}.png"
    code = end_after(start(*COMMAND, "--out", folder), signal.SIGTERM, samples.exists)
    assert code == 130
    reached = load_state(folder / "checkpoint.safetensors")["trainer"]["step"]
    assert 2 * STEPS_AN_EPOCH <= reached < 6 * STEPS_AN_EPOCH
    code, output = run(*COMMAND, "--out", folder, "--resume")
    assert code == 0, output
    assert_identical(generator_of(folder), unbroken)
