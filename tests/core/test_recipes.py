"""Recipes: the published settings, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.assembly import build_batches, build_game, build_trainer, player_spec
from core.command import UserError
from core.datasets import Part, Pictures
from core.recipes import RECIPES
from core.trainer import Trainer
from core.vanilla_config import RecipeName, VanillaConfig


def trainer_of(config: VanillaConfig, shape: tuple[int, int, int], count: int = 20) -> Trainer:
    """A trainer on noise pictures."""
    torch.manual_seed(0)
    part = Part(torch.rand(count, *shape), torch.arange(count) % 10)
    pictures = Pictures(part, part, part)
    batches = build_batches(config, pictures)
    game = build_game(config, player_spec(config, pictures), part.pictures)
    return build_trainer(config, game, batches, torch.device("cpu"))


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_has_its_name_and_can_be_told_from_its_settings(name: RecipeName) -> None:
    recipe = RECIPES[name]
    assert recipe.recipe == name
    assert recipe.folder == Path("runs") / name
    assert VanillaConfig.of({**vars(recipe), "data_dir": str(recipe.data_dir)}) == recipe


def test_the_papers_mnist_recipe_is_the_default_and_as_published() -> None:
    config = VanillaConfig()
    assert config == RECIPES["paper-mnist"]
    assert (config.order, config.noise, config.epochs) == ("simultaneous", "uniform", 50)
    trainer = trainer_of(replace(config, width=10), (1, 28, 28), 1000)
    discriminator, generator = trainer.phases
    for phase in (discriminator, generator):
        assert phase.learning_rate(0) == 0.1
        assert phase.learning_rate(1000) == pytest.approx(0.1 / 1.000004**1000)
        assert phase.learning_rate(10**8) == 1e-6
        assert callable(phase.momentum)
        assert phase.momentum(0) == 0.5
        assert phase.momentum(125 * 10) == pytest.approx(0.6)
        assert phase.momentum(250 * 10) == pytest.approx(0.7)
        assert phase.constrain is None
    assert [term.weight for term in discriminator.terms] == [0.5]
    assert [term.weight for term in generator.terms] == [1.0]


def test_momentum_rises_over_as_many_epochs_as_are_asked_for() -> None:
    config = replace(RECIPES["paper-mnist"], width=10, momentum_epochs=20)
    for phase in trainer_of(config, (1, 28, 28), 1000).phases:
        assert callable(phase.momentum)
        assert phase.momentum(10 * 10) == pytest.approx(0.6)
        assert phase.momentum(20 * 10) == pytest.approx(0.7)
    with pytest.raises(UserError, match="--momentum-epochs must be at least 1, not 0"):
        replace(config, momentum_epochs=0)


def test_the_papers_other_recipes_are_as_published() -> None:
    tfd, stacked = RECIPES["paper-tfd-pretrain"], RECIPES["paper-tfd"]
    assert (tfd.max_norm, tfd.learning_rate, tfd.epochs) == (1.9365, 0.05, 50)
    assert (stacked.networks, stacked.epochs) == ("maxout-stacked", 22)
    assert (tfd.width, tfd.discriminator_width) == (8000, 1200)
    dense, convolutional = RECIPES["paper-cifar10"], RECIPES["paper-cifar10-convolutional"]
    assert (dense.width, dense.discriminator_width, dense.learning_rate) == (8000, 1600, 0.025)
    assert (convolutional.batch_size, convolutional.learning_rate) == (128, 0.004)
    for recipe in (dense, convolutional):
        assert recipe.equal_contrast
        assert recipe.max_norm == 0


def test_a_longest_norm_holds_for_both_players() -> None:
    config = replace(RECIPES["paper-mnist"], max_norm=1.9365, width=10)
    for phase in trainer_of(config, (1, 4, 4), 200).phases:
        network = torch.nn.Linear(16, 3)
        torch.nn.init.ones_(network.weight)
        assert phase.constrain is not None
        phase.constrain(network)
        assert torch.allclose(network.weight.norm(dim=1), torch.tensor(1.9365))


SMALL = replace(
    RECIPES["mnist"], batch_size=5, width=8, discriminator_width=8, lazy=2, anneal=False
)


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "minimax"},
        {"loss": "non-saturating", "order": "simultaneous"},
        {"loss": "hinge", "spectral_norm": True},
        {"loss": "least-squares"},
        {"loss": "wasserstein", "gradient_penalty": 10.0, "discriminator_steps": 2},
        {"loss": "relativistic-average"},
        {"loss": "relativistic-paired", "r1": 1.0, "r2": 1.0},
        {"optimizer": "sgd", "max_norm": 1.0},
        {"networks": "dcgan", "r1": 0.0, "r2": 0.0},
        {"networks": "dcgan", "spectral_norm": True},
        {"networks": "residual", "conditional": True},
        {"networks": "maxout", "conditional": True, "ema": 0.0},
        {"precision": "bf16"},
    ],
    ids=str,
)
def test_modern_practice_can_be_chosen_and_run(change: dict[str, object]) -> None:
    trainer = trainer_of(replace(SMALL, **change), (1, 8, 8))  # type: ignore[arg-type]
    before = [p.detach().clone() for p in trainer.game.generator.parameters()]
    trainer.train(3)
    after = list(trainer.game.generator.parameters())
    assert all(torch.isfinite(p).all() for p in after)
    assert not all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "--epochs must be at least 1, not 0"),
        ({"width": -2}, "--width must be at least 1, not -2"),
        ({"discriminator_steps": 0}, "--discriminator-steps must be at least 1"),
        ({"learning_rate": float("nan")}, "--learning-rate must be positive, not nan"),
        ({"learning_rate": float("inf")}, "--learning-rate must be finite, not inf"),
        ({"r1": float("nan")}, "--r1 must be at least 0, not nan"),
        ({"ema": 1.0}, "--ema must be at least 0 and below 1, not 1.0"),
        ({"beta2": 1.0}, "--beta2 must be at least 0 and below 1, not 1.0"),
        ({"seed": -1}, "--seed must be at least 0, not -1"),
        ({"noise": "pink"}, "--noise must be one of gaussian, uniform, not 'pink'"),
        (
            {"order": "simultaneous", "discriminator_steps": 2},
            "--order simultaneous needs --discriminator-steps 1",
        ),
        ({"max_norm": 1.0, "spectral_norm": True}, "choose one"),
        ({"optimizer": "sgd", "anneal": True}, "--anneal needs --optimizer adam"),
        (
            {"networks": "maxout-stacked", "pretrained": Path("x"), "conditional": True},
            "--pretrained goes with neither --conditional nor --equal-contrast",
        ),
        (
            {"networks": "dense", "equal_contrast": True},
            "--equal-contrast needs a generator without bounds: --networks maxout-sigmoid or",
        ),
        (
            {"networks": "residual", "max_norm": 1.0},
            "--max-norm is for units that see all of a picture, and --networks residual has",
        ),
        ({"networks": "maxout-stacked"}, "--pretrained FILE need each other"),
        ({"pretrained": Path("x")}, "--pretrained FILE need each other"),
        (
            {"loss": "wasserstein", "r1": 0.0, "r2": 0.0},
            "--loss wasserstein needs a bound on the discriminator: --gradient-penalty 10",
        ),
        ({"networks": "dcgan"}, "add --spectral-norm, or take --networks residual"),
        ({"metrics": ("features",)}, "--metrics features needs --classifier"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_option(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(SMALL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("moves", [1, 2])
def test_an_annealed_learning_rate_ends_with_the_last_epoch(moves: int) -> None:
    config = replace(SMALL, anneal=True, epochs=3, learning_rate=0.01, discriminator_steps=moves)
    for phase in trainer_of(config, (1, 4, 4)).phases:  # an epoch: 4 batches of 5 pictures
        steps = 3 * 4 // moves
        assert phase.learning_rate(0) == 0.01
        assert phase.learning_rate(steps // 2) == pytest.approx(0.005)
        assert phase.learning_rate(steps) == 0.0
    assert trainer_of(SMALL, (1, 4, 4)).phases[0].learning_rate(10**6) == SMALL.learning_rate


def test_classes_need_labels() -> None:
    part = Part(torch.rand(20, 1, 4, 4))
    with pytest.raises(UserError, match="--conditional needs classes, which mnist does not have"):
        player_spec(replace(SMALL, conditional=True), Pictures(part, part, part))


def test_settings_of_another_program_are_refused() -> None:
    with pytest.raises(UserError, match="trained by another program"):
        VanillaConfig.of({"data": "photos"})
