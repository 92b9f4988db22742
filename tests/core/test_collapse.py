"""The watch for collapse: silent on sound games, and right about broken ones."""

import logging
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.assembly import build_watch, player_spec
from core.checkpoint import load_state
from core.collapse import Collapsed, CollapseWatch, likeness
from core.command import UserError
from core.datasets import Part, Pictures
from core.datasets.digits import load_digits
from core.divergence import Diverged
from core.evaluation.gaussians import OBJECTIVES, GridBatches, grid_trainer
from core.history import read_history
from core.recipes import RECIPES
from core.train_vanilla import train
from core.trainer import StepReport, Trainer
from core.vanilla_config import OnCollapse

DATA = GridBatches(450, seed=9).batch(0).real
NOISE = torch.randn(200, 16, generator=torch.Generator().manual_seed(1))
GUESSING = 1.386
WATCHED = {"watch/distance", "watch/places", "watch/astray"}


def draw(network: nn.Module) -> Tensor:
    with torch.no_grad():
        samples: Tensor = network(NOISE)
    return samples


class Told:
    """Keeps what a watch says."""

    def __init__(self) -> None:
        self.evidence: list[str] = []

    def __call__(self, trainer: Trainer, evidence: str) -> None:
        self.evidence.append(evidence)
        trainer.stop = True


def watched(trainer: Trainer, steps: int, every: int = 25) -> tuple[list[str], CollapseWatch]:
    told = Told()
    watch = CollapseWatch(draw, DATA, every, GUESSING, told)
    trainer.observers = [watch]
    trainer.train(steps)
    return told.evidence, watch


def test_data_are_as_spread_as_data_and_one_point_is_not() -> None:
    data = DATA[50:250]
    same = likeness(data, data, DATA[:50])
    assert (same.distance, same.places) == pytest.approx((1.0, 1.0))
    point = likeness(data[:1].expand(200, -1), data, DATA[:50])
    assert point.distance == 0.0
    assert point.places < 0.1


def test_a_lost_half_shows_in_the_places_though_not_in_the_distances() -> None:
    data = DATA[50:250]
    corners = data[(data.abs() > 3.5).all(dim=1)]
    few = likeness(corners[torch.arange(200) % len(corners)], data, DATA[:50])
    assert few.distance > 1
    assert few.places < 0.5


@pytest.mark.parametrize("name", ["non-saturating", "relativistic-paired + R1 + R2"])
def test_it_is_silent_on_a_sound_game(name: str) -> None:
    evidence, watch = watched(grid_trainer(OBJECTIVES[name], seed=0, steps=500, width=64), 500)
    assert evidence == []
    assert len(watch.seen) == 20
    assert watch.seen[-1].places > 0.5


def steps(watch: CollapseWatch, trainer: Trainer, count: int, loss: float = 1.0) -> None:
    for step in range(1, count + 1):
        watch.after_step(
            trainer, StepReport(step, {"discriminator/adversarial": torch.tensor(loss)})
        )


def test_noise_is_astray_and_good_samples_are_not() -> None:
    """Pictures of independent pixels differ from each other as data do, and from all data."""
    digits = load_digits(Path()).train.pictures
    data, places, others = digits[50:250], digits[:50], digits[250:450]
    noise = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()
    assert likeness(noise, data, places).astray > 0.6
    assert likeness(noise, data, places).distance > 0.9
    assert abs(likeness(others, data, places).astray) < 0.1
    assert likeness(digits.mean(dim=0).expand_as(others), data, places).astray < 0.2


@pytest.mark.parametrize(("begin", "found"), [("data", 3), ("noise", 23)])
def test_samples_that_are_unlike_any_data_are_found(begin: str, found: int) -> None:
    """At once where they were like data before, and otherwise after a while."""
    digits = load_digits(Path()).train.pictures
    random = torch.Generator().manual_seed(0)
    told = Told()
    sound = [digits[250:450]] * (5 if begin == "data" else 0)
    rounds = chain(sound, (torch.rand(200, 1, 8, 8, generator=random).round() for _ in range(99)))
    watch = CollapseWatch(lambda _network: next(rounds), digits[:250], 1, GUESSING, told)
    trainer = grid_trainer(OBJECTIVES["minimax"], seed=0, steps=1, width=8)
    steps(watch, trainer, len(sound) + found - 1)
    assert told.evidence == []
    steps(watch, trainer, 1)
    (evidence,) = told.evidence
    assert "unlike any data" in evidence


def test_a_single_bad_check_is_no_evidence() -> None:
    trainer = grid_trainer(OBJECTIVES["minimax"], seed=0, steps=1, width=8)
    rounds = iter([DATA[50:250]] * 2 + [DATA[:1].expand(200, -1)] * 2 + [DATA[50:250]] * 3)
    told = Told()
    watch = CollapseWatch(lambda _network: next(rounds), DATA, 1, GUESSING, told)
    steps(watch, trainer, 7)
    assert told.evidence == []


def test_samples_that_never_spread_are_found_after_a_while() -> None:
    trainer = grid_trainer(OBJECTIVES["minimax"], seed=0, steps=1, width=8)
    told = Told()
    watch = CollapseWatch(lambda _network: DATA[:1].expand(200, -1), DATA, 1, GUESSING, told)
    steps(watch, trainer, 20)
    assert told.evidence == []
    steps(watch, trainer, 10)
    (evidence,) = told.evidence
    assert "never grew past 0%" in evidence


def test_a_loss_without_a_bound_cannot_run_away() -> None:
    trainer = grid_trainer(OBJECTIVES["minimax"], seed=0, steps=1, width=8)
    for guessing, count in ((None, 0), (GUESSING, 1)):
        told = Told()
        watch = CollapseWatch(lambda _network: DATA[50:250], DATA, 1, guessing, told)
        steps(watch, trainer, 9, loss=0.001)
        assert len(told.evidence) == count


def test_the_state_that_is_kept_is_of_before_the_first_doubt() -> None:
    trainer = grid_trainer(OBJECTIVES["minimax"], seed=0, steps=100, width=8)
    rounds = iter([DATA[50:250]] * 6 + [DATA[:1].expand(200, -1)] * 3)
    told = Told()
    watch = CollapseWatch(lambda _network: next(rounds), DATA, 2, GUESSING, told, keep_states=True)
    trainer.observers = [watch]
    trainer.train(100)
    assert trainer.step == 18
    assert watch.healthy is not None
    # The check at step 14 was the first in doubt; three earlier ones are kept.
    assert watch.healthy["step"] == 8
    before = watch.healthy["generator"]["0.weight"]
    assert not torch.equal(before, trainer.game.generator.state_dict()["0.weight"])


# Nothing to hold the players, and a thousand times too fast.
BROKEN = replace(
    RECIPES["digits"], loss="minimax", r1=0.0, r2=0.0, learning_rate=1.0, width=32,
    discriminator_width=32, epochs=100, device="cpu",
)  # fmt: skip


def test_samples_that_are_no_longer_finite_end_it_at_once() -> None:
    trainer = grid_trainer(OBJECTIVES["minimax"], seed=0, steps=1, width=8)
    told = Told()
    watch = CollapseWatch(
        lambda _network: DATA[50:250] * float("nan"), DATA, 1, GUESSING, told, keep_states=True
    )
    with pytest.raises(Diverged, match="diverged: at step 1 samples are no longer finite"):
        steps(watch, trainer, 3)
    assert told.evidence == []
    assert watch.healthy is None


@pytest.mark.slow
def test_a_run_that_breaks_off_warns_stops_or_goes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert train(replace(BROKEN, out=tmp_path / "warn"))
    assert load_state(tmp_path / "warn" / "checkpoint.safetensors")["trainer"]["step"] == 1100
    assert any("run away" in m for m in caplog.messages)
    seen = [
        r["step"] for r in read_history(tmp_path / "warn" / "history.jsonl") if set(r) >= WATCHED
    ]
    assert 2 <= len(seen) <= 11  # of eleven checks, until it was told what it waited for
    with pytest.raises(Collapsed, match="run away"):
        train(replace(BROKEN, out=tmp_path / "stop", on_collapse="stop"))
    stopped = load_state(tmp_path / "stop" / "checkpoint.safetensors")["trainer"]["step"]
    assert stopped < 1100
    caplog.clear()
    with pytest.raises(Collapsed, match=r"[1-3] times rolled back"):
        train(replace(BROKEN, out=tmp_path / "back", on_collapse="rollback"))
    back = [m for m in caplog.messages if m.startswith("rolled back from step")]
    assert 1 <= len(back) <= 3
    assert "run away" in back[0]
    assert back[0] in (tmp_path / "back" / "log.txt").read_text()
    # What was given up is not what --resume would go on with.
    kept = load_state(tmp_path / "back" / "checkpoint.safetensors")["trainer"]
    assert kept["batches_drawn"] > kept["step"]


def pictures(train: Tensor) -> Pictures:
    return Pictures(Part(train), Part(train[:9]), Part(train[:9]))


def test_what_samples_are_compared_with_is_drawn_from_all_pictures() -> None:
    train = torch.rand(1000, 1, 8, 8)
    train[:500] *= 0.01  # a folder of dark ones comes first
    config = replace(RECIPES["digits"], device="cpu")
    watch = build_watch(config, player_spec(config, pictures(train)), pictures(train))
    dark = torch.cat([watch.places, watch.data]).mean(dim=(1, 2, 3)) < 0.1
    assert 0.35 < dark.float().mean() < 0.65
    assert len(watch.places) == 50
    assert len(watch.data) == 200


def test_few_pictures_are_not_watched(caplog: pytest.LogCaptureFixture) -> None:
    config = replace(RECIPES["digits"], device="cpu")
    for count in (99, 100):
        data = pictures(torch.rand(count, 1, 8, 8))
        watch = build_watch(config, player_spec(config, data), data)
        assert (watch.every == 100) == (count == 100)
    (said,) = caplog.messages
    assert said == "99 pictures are too few to see a collapse by"


@pytest.mark.parametrize("on_collapse", ["warn", "stop", "rollback"])
def test_a_run_that_diverges_stops_or_goes_back(on_collapse: OnCollapse, tmp_path: Path) -> None:
    """It never goes on, since nothing can come of it."""
    diverging = replace(BROKEN, loss="wasserstein", learning_rate=1e30, on_collapse=on_collapse,
                        spectral_norm=True, epochs=20, out=tmp_path / "run")  # fmt: skip
    with pytest.raises(UserError, match="the players have diverged"):
        train(diverging)
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()
