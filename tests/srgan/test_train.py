"""``python -m srgan.train``: two parts, the run's folder, resumption, and its user's errors."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.models
from PIL import Image
from torch.optim import Adam

from core.checkpoint import load_state
from core.command import UserError
from core.divergence import Diverged
from core.history import read_history
from core.muon import Muon
from core.picture_files import Pixels, read_rgb
from core.progress import Progress
from core.report.recorded import read_runs
from core.schedule import Schedule
from core.trainer import StepReport, Trainer
from srgan import train as program
from srgan.assembly import build_game, build_trainer
from srgan.cache import PairCache, open_cache
from srgan.config import RECIPES
from srgan.degradations import DEGRADATIONS, DegradationName, Draw
from srgan.discriminators import DiscriminatorName
from srgan.generators import GeneratorSpec, Light, load_generator, save_generator
from srgan.holdout import hold_out
from srgan.metrics import crop_border, luma, psnr, quantise
from srgan.pairs import reduced
from srgan.patches import as_tensor
from srgan.quantisation import is_rounding
from srgan.resize import imresize_uint8
from srgan.sources import training_pictures
from srgan.train import TrainConfig, train
from srgan.validation import degraded
from tests.core.games import Log
from tests.core.test_resume import assert_identical
from tests.srgan.pictures import files, picture, planes, save_pairs, save_pictures


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return save_pictures(tmp_path_factory.mktemp("photos"), 8, 48, 40)


@pytest.fixture
def config(photos: list[Path], tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        data=str(photos[0].parent),
        data_dir=tmp_path / "data",
        cache_dir=tmp_path / "cache",
        out=tmp_path / "run",
        scale=2,
        width=16,
        blocks=1,
        pixel_steps=3,
        adversarial_steps=3,
        batch_size=2,
        patch=8,
        features="efficientnet-lite0",
        discriminator_width=4,
        holdout=2,
        checkpoint_every=2,
        precision="fp32",
        device="cpu",
    )


def test_the_discriminator_waits_until_the_pixel_part_is_over(
    config: TrainConfig, photos: list[Path]
) -> None:
    config = replace(
        config, learning_rate=0.1, adversarial_learning_rate=0.2, adversarial="non-saturating"
    )
    pairs = open_cache(config.cache_dir, files(photos), 2)
    generator = GeneratorSpec("plain", 2, 16, 1).build()
    trainer = build_trainer(config, build_game(config, generator), pairs, torch.device("cpu"))
    log = Log()
    trainer.observers = [log]
    before = {n: v.clone() for n, v in trainer.game.discriminator.state_dict().items()}
    trainer.train(3)
    assert_identical(trainer.game.discriminator.state_dict(), before)
    trainer.train(4)
    after = trainer.game.discriminator.state_dict()
    moved = [name for name, _ in trainer.game.discriminator.named_parameters()
             if not torch.equal(before[name], after[name])]  # fmt: skip
    assert len(moved) == len(list(trainer.game.discriminator.parameters()))
    values = [set(report.values) for report in log.reports]
    assert values[:3] == [{"generator/pixel"}] * 3
    assert values[3] == {
        "discriminator/adversarial", "discriminator/win_rate",
        "generator/pixel", "generator/perceptual", "generator/adversarial",
    }  # fmt: skip
    # each part warms up over 100 steps of its own
    rates = [phase.learning_rate(4) for phase in trainer.phases]
    assert rates == pytest.approx([0.005, 0.01, 0.01])


def test_each_part_has_an_optimiser_of_its_own(config: TrainConfig, photos: list[Path]) -> None:
    pairs = open_cache(config.cache_dir, files(photos), 2)
    game = build_game(config, GeneratorSpec("plain", 2, 16, 1).build())
    trainer = build_trainer(config, game, pairs, torch.device("cpu"))
    moves = [(phase.player, type(phase.optimizer)) for phase in trainer.phases]
    assert moves == [("generator", Muon), ("discriminator", Adam), ("generator", Adam)]
    moving = [[phase.moves_at(step) for phase in trainer.phases] for step in (2, 3)]
    assert moving == [[True, False, False], [False, True, True]]


def test_a_run_leaves_everything_about_it_in_its_folder(config: TrainConfig) -> None:
    assert train(config)
    assert {p.name for p in config.out.iterdir()} == {
        "checkpoint.safetensors", "config.json", "environment.json", "generator.safetensors",
        "history.jsonl", "losses.png", "pictures.json", "samples", "tensorboard",
    }  # fmt: skip
    assert [p.name for p in sorted((config.out / "samples").iterdir())] == [
        "0000002.png", "0000004.png", "0000006.png",
    ]  # fmt: skip
    network, spec, training = load_generator(config.out / "generator.safetensors")
    assert spec == GeneratorSpec("plain", 2, 16, 1)
    assert (training["steps"], training["pictures"]) == (6, 6)
    state = load_state(config.out / "checkpoint.safetensors")["trainer"]
    assert_identical(dict(network.state_dict()), state["ema"]["network"])


def test_the_hours_of_all_processes_are_counted(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gather(value: object) -> list[object]:
        return [value, 3 * 3600.0] if value == 3600.0 else [value]

    monkeypatch.setattr("time.process_time", lambda: 3600.0)
    monkeypatch.setattr("core.distributed.gather", gather)
    train(replace(config, adversarial_steps=0))
    _, _, training = load_generator(config.out / "generator.safetensors")
    assert training["cpu_hours"] == 4.0  # an hour of this one, three of the other


def test_a_generator_says_nothing_about_the_disk_that_it_was_made_on(
    config: TrainConfig, tmp_path: Path
) -> None:
    train(replace(config, adversarial_steps=0))
    content = (config.out / "generator.safetensors").read_bytes()
    assert str(tmp_path.parent).encode() not in content


def test_held_out_pictures_are_measured_whole_and_not_trained_on(
    config: TrainConfig, photos: list[Path]
) -> None:
    train(replace(config, adversarial_steps=1))
    network, _, training = load_generator(config.out / "generator.safetensors")
    assert training["pictures"] == 6
    values = []
    for held_out in hold_out(files(photos), 2)[1]:
        hr = read_rgb(held_out.hr)
        lr = imresize_uint8(planes(hr), 0.5)[None].float() / 255
        with torch.no_grad():
            got = quantise(network(lr))
        wanted = quantise(as_tensor([hr]))
        values.append(psnr(crop_border(luma(got), 2), crop_border(luma(wanted), 2)))
    measured = [
        r for r in read_history(config.out / "history.jsonl") if "validation/bicubic_psnr_y" in r
    ]
    assert [record["step"] for record in measured] == [2, 4]
    assert measured[-1]["validation/bicubic_psnr_y"] == pytest.approx(sum(values) / 2, rel=1e-5)


def recorded(config: TrainConfig) -> dict[str, float]:
    """The last validation of a run."""
    return next(
        {name: value for name, value in record.items() if name.startswith("validation/")}
        for record in reversed(read_history(config.out / "history.jsonl"))
        if any(name.startswith("validation/") for name in record)
    )


@pytest.mark.parametrize("degradation", ["camera", "real"])
def test_validation_undoes_what_training_does_the_same_way_for_every_seed(
    degradation: DegradationName, config: TrainConfig, photos: list[Path], tmp_path: Path
) -> None:
    start = tmp_path / "start.safetensors"
    spec = GeneratorSpec("plain", 2, 16, 1)
    save_generator(start, spec, spec.build().state_dict(), {})
    config = replace(
        config, init=start, degradation=degradation, pixel_steps=2, adversarial_steps=0,
        learning_rate=1e-12,
    )  # fmt: skip
    train(config)
    scores = recorded(config)
    assert list(scores) == [f"validation/{degradation}_psnr_y"]
    other = replace(config, seed=7, out=tmp_path / "other")
    train(other)
    assert recorded(other) == pytest.approx(scores, rel=1e-5)
    network = load_generator(start)[0]
    values = []
    for index, held_out in enumerate(hold_out(files(photos), 2)[1]):
        hr = as_tensor([read_rgb(held_out.hr)])
        lr = DEGRADATIONS[degradation](hr, 2, Draw((index,), torch.device("cpu")))
        with torch.no_grad():
            got = quantise(network(lr))
        values.append(psnr(crop_border(luma(got), 2), crop_border(luma(quantise(hr)), 2)))
    assert scores[f"validation/{degradation}_psnr_y"] == pytest.approx(sum(values) / 2, rel=1e-5)


def test_pairs_are_trained_and_validated_on_as_they_are(
    config: TrainConfig, tmp_path: Path
) -> None:
    folder = save_pairs(tmp_path / "pairs", 6)
    config = replace(
        config, data=str(folder), pixel_steps=60, adversarial_steps=0, checkpoint_every=60,
        learning_rate=0.01, ema=0.0,
    )  # fmt: skip
    assert train(config)
    scores = recorded(config)
    assert list(scores) == ["validation/pairs_psnr_y"]
    # The twins are dark; a network that had not seen that gets 13.
    assert scores["validation/pairs_psnr_y"] > 25
    with pytest.raises(UserError, match="--degradation real makes its own low-resolution"):
        train(replace(config, degradation="real", out=tmp_path / "other"))


def test_a_teachers_pairs_leave_the_same_photographs_held_out(
    config: TrainConfig, photos: list[Path], tmp_path: Path
) -> None:
    folder = save_pairs(tmp_path / "pairs", 6)
    alone, both = (
        hold_out(training_pictures(data, tmp_path, 2), 2)
        for data in (config.data, f"{folder},{config.data}")
    )
    assert alone[1] == both[1]
    assert len(both[0]) == len(photos) - 2 + 6
    train(replace(config, data=f"{folder},{config.data}", adversarial_steps=0))
    assert list(recorded(config)) == ["validation/bicubic_psnr_y"]


@pytest.fixture
def own_photos(config: TrainConfig, photos: list[Path]) -> Path:
    """A copy of the pictures that a test may change, in the settings' data folder."""
    return Path(shutil.copytree(photos[0].parent, config.data_dir / "own"))


@pytest.mark.parametrize("change", ["gone", "new", "held out"])
def test_a_run_goes_on_with_the_pictures_that_it_began_with(
    change: str, config: TrainConfig, own_photos: Path
) -> None:
    config = replace(config, data=str(own_photos), adversarial_steps=0)
    train(config)
    kept = json.loads((config.out / "pictures.json").read_text())
    if change == "new":
        changed = own_photos / "new.png"
        Image.fromarray(picture(48, 40)).save(changed)
        counts = "0 pictures are gone and 1 are new"
    else:
        changed = config.data_dir / kept["training" if change == "gone" else "held_out"][0]
        changed.rename(own_photos / "away.txt")
        counts = "1 pictures are gone and 0 are new"
    with pytest.raises(UserError, match=f"{counts}, such as own/{changed.name}"):
        train(replace(config, resume=True))


def test_what_a_run_could_not_use_may_be_removed_before_it_goes_on(
    config: TrainConfig, own_photos: Path
) -> None:
    broken = [own_photos / f"broken{number}.png" for number in range(40)]
    for path in broken:
        path.write_bytes(b"no picture")
    config = replace(config, data=str(own_photos), holdout=12, adversarial_steps=0)
    train(config)
    first = (config.out / "pictures.json").read_text()
    for path in broken:
        path.unlink()
    train(replace(config, resume=True))
    assert (config.out / "pictures.json").read_text() == first


def test_a_run_says_by_which_recipe_it_trains(
    config: TrainConfig, caplog: pytest.LogCaptureFixture
) -> None:
    # --recipe has another default where there is a GPU
    caplog.set_level("INFO")
    train(replace(config, adversarial_steps=0, pixel_steps=1, recipe="srgan", pixel_loss="mse"))
    assert "recipe srgan: mse by muon at 0.002" in caplog.text


def test_a_run_that_does_not_tell_its_pictures_goes_on_with_a_warning(
    config: TrainConfig, caplog: pytest.LogCaptureFixture
) -> None:
    config = replace(config, adversarial_steps=0)
    train(config)
    record = config.out / "pictures.json"
    first = record.read_text()
    record.unlink()
    train(replace(config, resume=True))
    assert f"{record} is missing: which pictures to hold out is drawn anew" in caplog.text
    assert record.read_text() == first


def test_held_out_pictures_of_which_none_can_be_used_are_named_before_the_run_begins(
    config: TrainConfig, own_photos: Path
) -> None:
    config = replace(config, data=str(own_photos), holdout=1)
    (held_out,) = hold_out(training_pictures(config.data, config.data_dir, 2), 1)[1]
    Image.fromarray(picture(10, 10)).save(held_out.hr)
    with pytest.raises(UserError, match=f"--holdout: none of the 1 files .*: {held_out.hr}"):
        train(config)
    assert not config.out.exists()


def test_large_pictures_are_degraded_in_their_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("srgan.validation._DEGRADED", 26)
    hr = [picture(48, 40), picture(16, 40)]
    pairs = PairCache.of(4, hr, [np.zeros((12, 10, 3), np.uint8), np.zeros((4, 10, 3), np.uint8)])
    cut = degraded(pairs, DEGRADATIONS["bicubic"])
    np.testing.assert_array_equal(cut.hr[0], hr[0][12:36, 8:32])
    np.testing.assert_array_equal(cut.hr[1], hr[1][:, 8:32])
    for large, small in zip(cut.hr, cut.lr, strict=True):
        lr = DEGRADATIONS["bicubic"](as_tensor([large]), 4, Draw((0,), torch.device("cpu")))
        assert torch.equal(as_tensor([small]), lr)


def test_pictures_are_kept_once_whatever_the_patch_and_the_holdout(config: TrainConfig) -> None:
    config = replace(config, pixel_steps=1, adversarial_steps=0)
    train(config)
    train(replace(config, patch=12, holdout=3, out=config.out / "other"))
    assert len([*config.cache_dir.glob("*/hr.bin")]) == 1


def test_pictures_are_trained_on_at_other_sizes_but_those_held_out_are_not(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[PairCache] = []

    def watched(*arguments: Any) -> PairCache:
        opened.append(open_cache(*arguments))
        return opened[-1]

    monkeypatch.setattr(program, "open_cache", watched)
    train(replace(config, multiscale=(0.75, 0.5), pixel_steps=1, adversarial_steps=0))
    kept, _ = hold_out(training_pictures(config.data, config.data_dir, 2), 2)
    assert list(opened[0].files) == [*kept, *reduced(kept, (0.75, 0.5))]
    assert load_generator(config.out / "generator.safetensors")[2]["pictures"] == 6


def test_without_a_holdout_all_pictures_are_trained_on(config: TrainConfig) -> None:
    train(replace(config, holdout=0, adversarial_steps=0))
    assert load_generator(config.out / "generator.safetensors")[2]["pictures"] == 8
    assert not (config.out / "samples").exists()


@pytest.mark.parametrize("broken_at", [2, 4])
def test_an_interrupted_run_ends_in_the_same_bits_as_an_unbroken_one(
    broken_at: int, config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = replace(config, out=tmp_path / "whole"), replace(config, out=tmp_path / "parts")
    assert train(whole)
    saves = 0

    def terminated(*arguments: object) -> None:
        nonlocal saves
        save_generator(*arguments)  # type: ignore[arg-type]
        saves += 1
        if saves == broken_at // config.checkpoint_every:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(program, "save_generator", terminated)
        assert not train(parts)
    stopped = load_state(parts.out / "checkpoint.safetensors")["trainer"]["step"]
    assert broken_at <= stopped < config.steps
    assert train(replace(parts, resume=True))
    left, right = (
        load_state(run.out / "checkpoint.safetensors")["trainer"] for run in (parts, whole)
    )
    assert_identical(left, right)
    left, right = (
        dict(load_generator(run.out / "generator.safetensors")[0].state_dict())
        for run in (parts, whole)
    )
    assert_identical(left, right)


def test_a_run_goes_on_in_the_number_format_that_it_began_with(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(config, adversarial_steps=0, precision="auto", checkpoint_every=1)
    seen: list[str] = []

    class Noting(Progress):
        def after_step(self, trainer: Trainer, report: StepReport) -> None:
            super().after_step(trainer, report)
            seen.append(trainer.precision)
            trainer.stop = report.step == 1

    monkeypatch.setattr("core.run.Progress", Noting)
    monkeypatch.setattr("core.precision._bf16_pays", lambda: True)
    assert not train(config)
    monkeypatch.setattr("core.precision._bf16_pays", lambda: False)
    assert train(replace(config, resume=True))
    assert seen == ["bf16"] * 3


def test_a_teacher_of_another_scale_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    spec = GeneratorSpec("plain", 4, 16, 1)
    save_generator(tmp_path / "x4.safetensors", spec, spec.build().state_dict(), {})
    with pytest.raises(UserError, match="--teacher enlarges 4x, the generator 2x"):
        train(replace(config, teacher=str(tmp_path / "x4.safetensors")))


def test_a_teacher_can_be_followed_instead_of_the_photographs(
    config: TrainConfig, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    spec = GeneratorSpec("plain", 2, 16, 1)
    teacher = tmp_path / "teacher.safetensors"
    save_generator(teacher, spec, spec.build().state_dict(), {})
    config = replace(config, teacher=str(teacher), teacher_weight=100.0, pixel_steps=60,
                     adversarial_steps=0, checkpoint_every=20, learning_rate=0.01)  # fmt: skip
    train(config)
    distances = [r["generator/teacher"] for r in read_history(config.out / "history.jsonl")
                 if "generator/teacher" in r]  # fmt: skip
    assert distances[-1] < 0.5 * distances[0]


@pytest.mark.parametrize("before", [0, 3])
def test_a_run_that_ends_for_8_bits_leaves_a_plain_generator_of_rounded_kernels(
    before: int, config: TrainConfig
) -> None:
    train(replace(config, pixel_steps=before, adversarial_steps=0, quantisation_steps=3))
    network = load_generator(config.out / "generator.safetensors")[0]
    for kernel in network.get_parameter("head.weight").detach():
        levels = kernel / (kernel.abs().max() / 127)
        assert torch.allclose(levels, levels.round(), atol=1e-4)


def recording_observer(seen: list[tuple[set[str], bool]]) -> type[Progress]:
    """An observer that notes, at each step, the losses and whether the generator rounds."""

    class Noting(Progress):
        def after_step(self, trainer: Trainer, report: StepReport) -> None:
            super().after_step(trainer, report)
            losses = {name for name in report.values if name.startswith("generator/")}
            seen.append((losses, is_rounding(trainer.sampler.state_dict())))

    return Noting


@pytest.mark.parametrize("adversarial_steps", [0, 2])
def test_the_last_steps_round_on_the_losses_of_the_part_before(
    adversarial_steps: int, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[set[str], bool]] = []
    monkeypatch.setattr("core.run.Progress", recording_observer(seen))
    config = replace(
        config, pixel_steps=2, adversarial_steps=adversarial_steps, quantisation_steps=2
    )
    assert train(config)
    assert [rounds for _, rounds in seen] == [False] * (2 + adversarial_steps) + [True] * 2
    before, first, last = (losses for losses, _ in seen[-3:])
    assert before == first == last
    assert ("generator/adversarial" in last) == bool(adversarial_steps)


@pytest.mark.parametrize("broken_at", [3, 4, 5])
def test_a_run_that_is_stopped_before_at_or_after_it_begins_to_round_ends_in_the_same_bits(
    broken_at: int, config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(
        config, pixel_steps=2, adversarial_steps=2, quantisation_steps=2, checkpoint_every=1
    )
    whole, parts = replace(config, out=tmp_path / "whole"), replace(config, out=tmp_path / "parts")
    assert train(whole)

    class Stopping(Progress):
        def after_step(self, trainer: Trainer, report: StepReport) -> None:
            super().after_step(trainer, report)
            trainer.stop = report.step == broken_at

    with monkeypatch.context() as patch:
        patch.setattr("core.run.Progress", Stopping)
        assert not train(parts)
    assert load_state(parts.out / "checkpoint.safetensors")["trainer"]["step"] == broken_at
    assert train(replace(parts, resume=True))
    left, right = (
        load_state(run.out / "checkpoint.safetensors")["trainer"] for run in (parts, whole)
    )
    assert_identical(left, right)


def test_the_learning_rate_of_the_last_steps_begins_anew(
    config: TrainConfig, photos: list[Path]
) -> None:
    config = replace(
        config, pixel_steps=4, adversarial_steps=2, quantisation_steps=100, warmup=2,
        learning_rate=0.8, adversarial_learning_rate=0.1, quantisation_learning_rate=0.01,
    )  # fmt: skip
    game = build_game(config, GeneratorSpec("plain", 2, 16, 1).build())
    trainer = build_trainer(
        config, game, open_cache(config.cache_dir, files(photos), 2), torch.device("cpu")
    )
    pixel, discriminator, adversarial = trainer.phases
    assert [phase.moves_at(99) for phase in trainer.phases] == [False, True, True]
    assert pixel.learning_rate(1) == pytest.approx(0.8)
    for phase in (discriminator, adversarial):  # whose steps count from the second part's start
        assert phase.learning_rate(1) == pytest.approx(0.1)
        assert [phase.learning_rate(step) for step in (2, 3)] == pytest.approx([0.005, 0.01])
        assert phase.learning_rate(2 + 100) == pytest.approx(0.01 / 1000)


def test_the_first_part_alone_brings_the_pictures_nearer(config: TrainConfig) -> None:
    config = replace(config, pixel_steps=60, adversarial_steps=0, checkpoint_every=20, ema=0.0,
                     learning_rate=0.01)  # fmt: skip
    train(config)
    losses = [r["generator/pixel"] for r in read_history(config.out / "history.jsonl")
              if "generator/pixel" in r]  # fmt: skip
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"batch_size": 0}, "--batch-size must be at least 1"),
        ({"patch": 7}, "--patch must be at least 8"),
        ({"accumulate": 0}, "--accumulate must be at least 1"),
        ({"features": "vgg19"}, "--features must be one of vgg54, .* not 'vgg19'"),
        ({"pixel_milestones": (0.5, 0.2)}, "--pixel-milestones must rise between 0 and 1"),
        ({"adversarial_milestones": (1.5,)}, "--adversarial-milestones must rise"),
        ({"seed": -1}, "--seed must be at least 0"),
        ({"learning_rate": 0.0}, "--learning-rate must be positive"),
        ({"learning_rate": float("inf")}, "--learning-rate must be finite, not inf"),
        ({"minutes": float("inf")}, "--minutes must be finite, not inf"),
        ({"teacher_weight": float("inf")}, "--teacher-weight must be finite, not inf"),
        (
            {"pixel_steps": 0, "adversarial_steps": 0},
            "--pixel-steps, --adversarial-steps and --quantisation-steps are all 0: nothing",
        ),
        ({"lazy": 0}, "--lazy must be at least 1"),
        ({"r1": -1.0}, "--r1 must be at least 0"),
        (
            {"adversarial": "wasserstein"},
            "--adversarial wasserstein needs a bound .* --gradient-penalty 10, --r1 or --r2",
        ),
        ({"r1": 1.0, "discriminator": "srgan"}, "take --discriminator patch or unet"),
        ({"pixel_weight": float("nan")}, "--pixel-weight must be at least 0"),
        ({"multiscale": (0.5, 1.5)}, "--multiscale must be shares between 0 and 1, not"),
        ({"ema": 1.5}, "--ema must be at least 0 and below 1, not 1.5"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_option(
    change: dict[str, int], sentence: str, config: TrainConfig
) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(config, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--data", "nowhere"], "--data must be div2k, flickr2k or a folder; 'nowhere' is neither"),
        (["--holdout", "5"], "--holdout 5 would take more than half of the 8 pictures"),
        (["--patch", "10", "--discriminator", "srgan"], "multiple of 16, not 20"),
        (["--patch", "9"], "multiple of 4"),
        (["--validate", "nowhere"], "nowhere is not a folder"),
        (["--patch", "64"], "none of the 6 files is a picture of at least 128 pixels a side"),
        (["--lpips-weight", "1"], "--patch times the scale must be at least 21 for LPIPS, not 16"),
        (["--width", "20"], "plain's width must be a multiple of 16, not 20"),
        (["--generator", "srresnet", "--scale", "3"], "power of two"),
        (["--batch-size", "0"], "--batch-size must be at least 1"),
        (["--resume"], "holds no checkpoint to resume from"),
        (["--init", "nowhere.safetensors"], "there is no checkpoint at nowhere.safetensors"),
        (["--teacher", "nowhere"], "nowhere"),
        (["--device", "gpu"], "device 'gpu' is not one that torch knows"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_exit_code_2(
    options: list[str],
    sentence: str,
    config: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = {
        "--data": config.data,
        "--cache-dir": str(config.cache_dir),
        "--out": str(config.out),
        "--minutes": "0",
        "--pixel-steps": "1",
        "--adversarial-steps": "1",
        "--scale": "2",
        "--width": "16",
        "--patch": "8",
        "--holdout": "2",
        "--precision": "fp32",
        "--device": "cpu",
    }
    for option in options:
        arguments.pop(option, None)
    flat = [part for pair in arguments.items() for part in pair]
    monkeypatch.setattr("sys.argv", ["train", *flat, *options])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 2
    written = capsys.readouterr().err.splitlines()[-1]
    assert written.startswith("error: ")
    assert sentence in written


def test_a_finished_run_is_not_overwritten_and_its_settings_stay(config: TrainConfig) -> None:
    config = replace(config, adversarial_steps=0)
    train(config)
    with pytest.raises(UserError, match="already holds a run"):
        train(config)
    with pytest.raises(UserError, match="--batch-size was 2 when the run began and is 3 now"):
        train(replace(config, resume=True, batch_size=3))


def test_a_run_that_diverges_stops_before_it_replaces_anything(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Schedule:
        return lambda step: 1e-3 if step < 3 else float("nan")

    monkeypatch.setattr("srgan.assembly._learning_rate", broken)
    config = replace(config, generator="srresnet", width=4, optimizer="adam", pixel_steps=9)
    with pytest.raises(Diverged, match=r"players have diverged: at step 4 .* no longer finite"):
        train(config)
    checkpoint = load_state(config.out / "checkpoint.safetensors")["trainer"]
    network, _, training = load_generator(config.out / "generator.safetensors")
    assert checkpoint["step"] == training["steps"] == 2
    for state in (checkpoint["generator"], network.state_dict()):
        assert all(value.isfinite().all() for value in state.values())


def test_a_validation_that_fails_loses_no_step(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> dict[str, float]:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(program, "validation", lambda *_: fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        train(config)
    assert load_state(config.out / "checkpoint.safetensors")["trainer"]["step"] == 2
    assert load_generator(config.out / "generator.safetensors")[2]["steps"] == 2
    monkeypatch.undo()
    assert train(replace(config, resume=True))


def test_the_second_part_ramps_the_adversarial_loss_up_and_adds_what_has_a_weight(
    config: TrainConfig, photos: list[Path]
) -> None:
    config = replace(
        config, pixel_steps=2, adversarial_steps=8, adversarial_weight=0.4, adversarial_ramp=4,
        frequency_weight=0.1, colour_weight=0.9, total_variation_weight=0.2, lpips_weight=0.3,
        pixel_weight=0.5, perceptual_weight=0.7, grid_weight=0.8, patch=16,
    )  # fmt: skip
    game = build_game(config, GeneratorSpec("plain", 2, 16, 1).build())
    trainer = build_trainer(
        config, game, open_cache(config.cache_dir, files(photos), 2), torch.device("cpu")
    )
    pixel, _, adversarial = (
        {term.name: [term.factor(step) for step in range(6)] for term in phase.terms}
        for phase in trainer.phases
    )
    assert pixel == {"pixel": [1] * 6, "frequency": [0.1] * 6, "colour": [0.9] * 6}
    ramp = adversarial.pop("adversarial")
    assert ramp == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.4])
    assert adversarial == {
        "frequency": [0.1] * 6, "colour": [0.9] * 6, "pixel": [0.5] * 6, "perceptual": [0.7] * 6,
        "lpips": [0.3] * 6, "total_variation": [0.2] * 6, "grid": [0.8] * 6,
    }  # fmt: skip


def test_patches_are_as_large_as_the_perceptual_network_needs_once_they_are_shifted(
    config: TrainConfig, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    untrained = torchvision.models.vgg19(weights=None)
    monkeypatch.setattr(torchvision.models, "vgg19", lambda **_settings: untrained)
    monkeypatch.setattr("srgan.losses.torch.randint", lambda end, size: torch.full(size, end - 1))
    pairs = open_cache(config.cache_dir, files(photos), 2)

    def trainer(patch: int) -> Trainer:
        small = replace(config, features="vgg54", patch=patch, pixel_steps=0, discriminator="unet")
        game = build_game(small, GeneratorSpec("plain", 2, 16, 1).build())
        return build_trainer(small, game, pairs, torch.device("cpu"))

    with pytest.raises(UserError, match="--patch times the scale must be at least 23 for vgg54"):
        trainer(11)
    trainer(12).train(1)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("discriminator", ["patch", "unet"])
def test_penalties_hold_the_discriminator_at_every_so_many_steps(
    conditional: bool, discriminator: DiscriminatorName, config: TrainConfig, photos: list[Path]
) -> None:
    config = replace(
        config, pixel_steps=1, adversarial_steps=9, adversarial="wasserstein", r1=2.0, r2=3.0,
        gradient_penalty=10.0, lazy=2, conditional=conditional, discriminator=discriminator,
        perceptual_weight=0.0,
    )  # fmt: skip
    game = build_game(config, GeneratorSpec("plain", 2, 16, 1).build())
    pairs = open_cache(config.cache_dir, files(photos), 2)
    trainer = build_trainer(config, game, pairs, torch.device("cpu"))
    judge = trainer.phases[1]
    assert {term.name: [term.factor(step) for step in range(3)] for term in judge.terms} == {
        "adversarial": [1, 1, 1], "r1": [4, 0, 4], "r2": [6, 0, 6],
        "gradient_penalty": [20, 0, 20],
    }  # fmt: skip
    log = Log()
    trainer.observers = [log]
    trainer.train(1)
    batch = trainer.batches.batch(1)
    game.discriminator.eval()  # in training mode spectral normalisation would go on
    photographs = batch.real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(game.score(photographs, batch).sum(), photographs)
    trainer.train(3)
    due, rested = (set(report.values) for report in log.reports[1:])
    assert due - rested == {
        "discriminator/r1", "discriminator/r2", "discriminator/gradient_penalty"
    }  # fmt: skip
    expected = 0.5 * float(slope.flatten(1).square().sum(dim=1).mean())
    assert float(log.reports[1].values["discriminator/r1"]) == pytest.approx(expected, rel=1e-4)


def test_milestones_and_warmup_shape_the_learning_rate_of_each_part(
    config: TrainConfig, photos: list[Path]
) -> None:
    config = replace(
        config, pixel_steps=10, adversarial_steps=4, learning_rate=0.8, warmup=2,
        adversarial_learning_rate=0.1, decay="milestones", pixel_milestones=(0.4, 0.8),
        adversarial_milestones=(0.5,), milestone_factor=0.5,
    )  # fmt: skip
    game = build_game(config, GeneratorSpec("plain", 2, 16, 1).build())
    trainer = build_trainer(
        config, game, open_cache(config.cache_dir, files(photos), 2), torch.device("cpu")
    )
    pixel, discriminator, adversarial = (phase.learning_rate for phase in trainer.phases)
    assert [pixel(step) for step in range(10)] == pytest.approx(
        [0.4, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2]
    )
    for rate in (discriminator, adversarial):
        assert [rate(step) for step in range(4)] == pytest.approx([0.05, 0.1, 0.05, 0.05])


@pytest.mark.parametrize(
    "change",
    [
        {"degradation": "camera"},
        {"degradation": "real", "patch": 16},
        {"discriminator": "unet", "conditional": True},
        {"luma": True, "adversarial": "wasserstein", "gradient_penalty": 10.0},
        {"discriminator": "srgan", "patch": 16},
        {"generator": "rrdb", "width": 4},
        {"quantisation_steps": 2},
        {"quantisation_steps": 2, "adversarial_steps": 0, "reparameterise": True},
        {"quantisation_steps": 3, "pixel_steps": 0, "adversarial_steps": 0, "ema": 0.0},
        {"reparameterise": True},
        {"teacher": "bicubic", "teacher_weight": 0.5},
        {"accumulate": 2, "clip_norm": 0.5, "optimizer": "adam", "adversarial": "hinge"},
    ],
    ids=str,
)
def test_what_can_be_chosen_trains_and_resumes(
    change: dict[str, object], config: TrainConfig, tmp_path: Path
) -> None:
    config = replace(config, pixel_steps=1, adversarial_steps=2, checkpoint_every=1)
    config = replace(config, **change)  # type: ignore[arg-type]
    assert train(config)
    whole = load_state(config.out / "checkpoint.safetensors")["trainer"]
    shorter = replace(config, out=tmp_path / "parts")

    def stop_after_one(trainer: object, *_: object) -> None:
        trainer.stop = True  # type: ignore[attr-defined]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.progress.Progress.after_step", lambda _self, t, _r: stop_after_one(t))
        assert not train(shorter)
    assert train(replace(shorter, resume=True))
    assert_identical(load_state(shorter.out / "checkpoint.safetensors")["trainer"], whole)


def test_degraded_patches_depend_on_the_batch_alone(
    config: TrainConfig, photos: list[Path]
) -> None:
    config = replace(config, degradation="real")
    game = build_game(config, GeneratorSpec("plain", 2, 16, 1).build())
    trainer = build_trainer(
        config, game, open_cache(config.cache_dir, files(photos), 2), torch.device("cpu")
    )
    assert trainer.prepare is not None
    batch = trainer.batches.batch(3)
    once, again, other = (trainer.prepare(batch, index) for index in (3, 3, 4))
    assert once.cond is not None
    assert again.cond is not None
    assert other.cond is not None
    assert torch.equal(once.cond, again.cond)
    assert not torch.equal(once.cond, other.cond)
    assert torch.equal(once.real, batch.real)


def test_sets_are_validated_on_by_name(config: TrainConfig, photos: list[Path]) -> None:
    config = replace(config, validate=(photos[0].parent,), adversarial_steps=0, pixel_steps=2)
    train(config)
    record = next(
        r for r in read_history(config.out / "history.jsonl") if "validation/photos0_psnr_y" in r
    )
    assert record["validation/photos0_psnr_y"] > 5
    shown = config.out / "samples" / photos[0].parent.name / "0000002.png"
    # Eight pictures in rows of two, each enlarged, upscaled and true, 24x20 pixels at half size
    assert read_rgb(shown).shape[1] / 6 == pytest.approx(2 * 20, abs=4)


def test_large_pictures_are_validated_on_in_tiles(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_pictures(tmp_path / "set", 1, 900, 24)
    heights: list[int] = []
    forward = Light.forward

    def watched(network: Light, lr: torch.Tensor) -> torch.Tensor:
        heights.append(lr.shape[-2])
        return forward(network, lr)

    monkeypatch.setattr(Light, "forward", watched)
    folder = tmp_path / "set"
    train(replace(config, validate=(folder,), adversarial_steps=0, pixel_steps=2, holdout=0))
    assert 100 < max(heights) < 250


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not a picture", "--validate: .*z.png cannot be read as a picture"),
        (picture(40, 4), "--validate: z.png in .*set must have sides of more than 4 pixels"),
    ],
    ids=["broken", "small"],
)
def test_a_picture_that_cannot_be_validated_on_is_named_before_training_begins(
    content: bytes | Pixels, sentence: str, config: TrainConfig, tmp_path: Path
) -> None:
    save_pictures(tmp_path / "set", 9, 40, 40)
    path = tmp_path / "set" / "z.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        Image.fromarray(content).save(path)
    with pytest.raises(UserError, match=sentence):
        train(replace(config, validate=(path.parent,)))
    assert not config.out.exists()


def test_sets_of_one_name_are_told_apart_by_their_folders(
    config: TrainConfig, tmp_path: Path
) -> None:
    folders = [tmp_path / part / "set" for part in ("one", "two")]
    for folder, count in zip(folders, (1, 3), strict=True):
        save_pictures(folder, count, 40, 40)
    train(replace(config, validate=tuple(folders), adversarial_steps=0, pixel_steps=2, holdout=0))
    assert list(recorded(config)) == ["validation/one/set_psnr_y", "validation/two/set_psnr_y"]
    for part in ("one", "two"):
        assert (config.out / "samples" / part / "set" / "0000002.png").exists()
    (shown,) = read_runs([config.out])
    assert list(shown.samples) == ["one/set", "two/set"]


def test_a_set_may_not_pass_for_what_is_held_out(config: TrainConfig, tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "bicubic", 1, 48, 40)[0].parent
    with pytest.raises(UserError, match="bicubic has the name by which the pictures held out are"):
        train(replace(config, validate=(folder,)))
    assert train(replace(config, validate=(folder,), holdout=0, pixel_steps=1, adversarial_steps=0))


def test_a_run_has_its_folder_outside_its_data(config: TrainConfig) -> None:
    with pytest.raises(UserError, match="is inside --data"):
        train(replace(config, out=Path(config.data) / "run"))


def test_what_cannot_begin_is_refused_before_pictures_are_decoded(config: TrainConfig) -> None:
    with pytest.raises(UserError, match="holds no checkpoint to resume from"):
        train(replace(config, resume=True))
    config.out.mkdir(parents=True)
    (config.out / "checkpoint.safetensors").touch()
    with pytest.raises(UserError, match="already holds a run"):
        train(replace(config, minutes=1))
    assert not config.cache_dir.exists()


def test_warnings_about_the_pictures_are_in_the_runs_log(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_pictures(tmp_path / "some", 5, 48, 40)[0].parent
    (folder / "broken.png").write_bytes(b"no picture")
    arguments = ["--data", folder, "--cache-dir", config.cache_dir, "--out", config.out,
                 "--scale", 2, "--width", 16, "--blocks", 1, "--minutes", 0, "--pixel-steps", 1,
                 "--adversarial-steps", 0, "--quantisation-steps", 0, "--batch-size", 1,
                 "--patch", 8, "--holdout", 1, "--precision", "fp32"]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["train", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 0
    assert "broken.png cannot be read" in (config.out / "log.txt").read_text()


def test_what_is_logged_is_seen_too(config: TrainConfig) -> None:
    arguments = ["--data", config.data, "--out", str(config.out), "--cache-dir",
                 str(config.cache_dir), "--scale", "2", "--width", "16", "--blocks", "1",
                 "--minutes", "0", "--pixel-steps", "1", "--adversarial-steps", "0",
                 "--quantisation-steps", "0", "--patch", "8", "--holdout", "1"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "srgan.train", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "finished; the generator is" in done.stderr
    assert "training GeneratorSpec" in (config.out / "log.txt").read_text()


def test_minutes_stretch_all_parts_alike_and_are_kept_when_a_run_goes_on(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(trainer: Trainer, _steps: int) -> float:
        """A step that rounds takes twice as long, which the box allows for."""
        return 1.0 if is_rounding(trainer.game.generator.state_dict()) else 0.5

    monkeypatch.setattr(program, "seconds_a_step", timed)
    config = replace(
        config, minutes=8 / 60, pixel_steps=20, adversarial_steps=10, quantisation_steps=5,
        checkpoint_every=1000, holdout=1,
    )  # fmt: skip
    assert train(config)  # 8 seconds are 12 steps of half a second, and 2 that take twice as long
    saved = json.loads((config.out / "config.json").read_text())
    steps = [saved[f"{part}_steps"] for part in ("pixel", "adversarial", "quantisation")]
    assert steps == [8, 4, 2]
    shown = sorted((config.out / "samples").glob("*.png"))
    assert [int(path.stem) for path in shown] == [2, 4, 6, 8, 10, 12, 14]
    monkeypatch.setattr(program, "seconds_a_step", lambda _trainer, _steps: 99.0)
    assert train(replace(config, resume=True))
    assert load_state(config.out / "checkpoint.safetensors")["trainer"]["step"] == 14


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_is_what_the_command_line_starts_from(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["train", "--recipe", name, "--batch-size", "3", "--show-config"]
    )
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 0
    shown = json.loads(capsys.readouterr().out)
    recipe = RECIPES[name]  # type: ignore[index]
    assert shown["batch_size"] == 3
    assert shown["recipe"] == name == recipe.recipe
    assert shown["generator"] == recipe.generator
    assert shown["pixel_steps"] == recipe.pixel_steps


def test_the_papers_recipes_hold_the_papers_numbers() -> None:
    srgan, esrgan, real = (RECIPES[n] for n in ("srgan", "esrgan", "real-esrgan"))
    assert (srgan.pixel_steps, srgan.adversarial_steps) == (1_000_000, 200_000)
    assert (srgan.batch_size, srgan.patch * srgan.scale, srgan.blocks) == (16, 96, 16)
    assert (srgan.adversarial_weight, srgan.learning_rate) == (1e-3, 1e-4)
    assert (esrgan.adversarial, esrgan.patch * esrgan.scale) == ("relativistic-average", 128)
    assert (esrgan.adversarial_weight, esrgan.pixel_weight) == (5e-3, 1e-2)
    assert (real.degradation, real.discriminator, real.batch_size) == ("real", "unet", 48)
    assert real.patch * real.scale == 256
