"""``python -m core.train_vanilla``: settings, the run's folder, and runs that are killed."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core import train_vanilla
from core.checkpoint import load_state
from core.command import UserError
from core.datasets import DataUnavailableError
from core.recipes import RECIPES
from core.train_vanilla import train
from tests.core.test_resume import assert_identical
from tests.programs import run, start

SMALL = replace(
    RECIPES["digits"], anneal=False, epochs=2, sample_every=1, batch_size=300, width=8, device="cpu"
)
COMMAND = ["-m", "core.train_vanilla", "--recipe", "digits", "--epochs", "6",
           "--sample-every", "1", "--batch-size", "100", "--width", "16",
           "--device", "cpu"]  # fmt: skip
STEPS_AN_EPOCH = 11


def generator_of(folder: Path) -> dict[str, object]:
    state = load_state(folder / "generator.safetensors")
    return {"weights": state["weights"], "steps": state["training"]["steps"]}


def test_a_run_leaves_samples_a_checkpoint_and_the_smoothed_generator(tmp_path: Path) -> None:
    assert train(replace(SMALL, out=tmp_path / "run"))
    folder = tmp_path / "run"
    assert {p.name for p in folder.iterdir()} == {
        "checkpoint.safetensors", "config.json", "environment.json", "generator.safetensors",
        "history.jsonl", "losses.png", "samples", "tensorboard",
    }  # fmt: skip
    assert [p.name for p in sorted((folder / "samples").iterdir())] == [
        "0000003.png",
        "0000006.png",
    ]
    generator = load_state(folder / "generator.safetensors")
    assert generator["players"]["shape"] == [1, 8, 8]
    assert generator["players"]["width"] == 8
    state = load_state(folder / "checkpoint.safetensors")["trainer"]
    assert state["step"] == 6
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


def test_a_run_whose_learning_rate_falls_ends_where_it_was_to_end(tmp_path: Path) -> None:
    annealed = replace(SMALL, out=tmp_path / "run", anneal=True)
    train(annealed)
    assert train(replace(annealed, resume=True))
    with pytest.raises(UserError, match="--epochs was 2 when the run began and is 3 now"):
        train(replace(annealed, resume=True, epochs=3))


def test_the_processor_time_of_all_parts_of_a_run_is_kept(tmp_path: Path) -> None:
    spent = []
    for epochs, resume in ((1, False), (2, True)):
        train(replace(SMALL, out=tmp_path / "run", epochs=epochs, resume=resume, anneal=False))
        record = load_state(tmp_path / "run" / "generator.safetensors")["training"]
        spent.append(record["cpu_minutes"])
    assert 0 < spent[0] < spent[1]


def test_a_batch_larger_than_the_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--batch-size: .* 1197 samples .* not 2000"):
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
        train(replace(RECIPES["paper-mnist"], data_dir=tmp_path / "data", out=tmp_path / "run"))
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
    assert "--recipe digits" in written


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
