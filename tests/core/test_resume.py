"""A run that is broken off and resumed ends in the same bits as one that is not."""

import random
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core import random_state
from core.adversarial import adversarial_loss
from core.checkpoint import load_state, save_state
from core.datasets import ShuffledBatches
from core.game import NoiseGame
from core.networks.mlp import MaxoutDiscriminator
from core.phase import Phase, Term, adversarial_discriminator_term, adversarial_generator_term
from core.precision import Precision
from core.schedule import cosine, linear
from core.trainer import Order, Trainer

STEPS = 9
Optimiser = Literal["adam", "sgd"]


def assert_identical(left: Any, right: Any, where: str = "") -> None:
    """Nested states agree to the bit; tuples and lists count as the same."""
    if isinstance(left, Tensor):
        assert torch.equal(left, right), where
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for key, value in left.items():
            assert_identical(value, right[key], f"{where}/{key}")
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right), where
        for index, value in enumerate(left):
            assert_identical(value, right[index], f"{where}/{index}")
    else:
        assert left == right, where


def draws_everywhere(factor: float) -> float:
    """A number that depends on Python's and NumPy's generators."""
    return factor * (random.gauss(0, 1) + float(np.random.standard_normal()))


def build(optimiser: Optimiser, order: Order, seed: int) -> Trainer:
    random_state.seed_all(seed)
    pictures = torch.rand(10, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    generator = nn.Sequential(
        nn.Linear(4, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 9),
        nn.Unflatten(1, (1, 3, 3)),
    )  # fmt: skip
    game = NoiseGame(generator, MaxoutDiscriminator(9, units=6, pieces=3), 4)
    loss = adversarial_loss("relativistic-paired")

    def make(network: nn.Module) -> torch.optim.Optimizer:
        if optimiser == "adam":
            return torch.optim.Adam(network.parameters(), betas=(0.5, 0.9))
        return torch.optim.SGD(network.parameters(), lr=1.0, momentum=0.9)

    rate = cosine(0.05, STEPS, warmup=3)
    momentum = linear(0.5, 0.9, STEPS) if optimiser == "sgd" else None
    jitter = Term("jitter", lambda forward: draws_everywhere(0.1) * forward.fake.mean())
    return Trainer(
        game,
        [
            Phase(
                "discriminator",
                make(game.discriminator),
                [adversarial_discriminator_term(loss)],
                rate,
                momentum,
                repeats=2 if order == "alternating" else 1,
            ),
            Phase(
                "generator",
                make(game.generator),
                [adversarial_generator_term(loss), jitter],
                rate,
                momentum,
                start=1,
            ),
        ],
        ShuffledBatches(pictures, 3, seed=5),
        order=order,
        ema_decay=0.9,
    )


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("order", ["alternating", "simultaneous"])
@pytest.mark.parametrize("broken_at", [0, 1, 4, STEPS - 1])
def test_a_broken_run_ends_as_an_unbroken_one(
    optimiser: Optimiser, order: Order, broken_at: int, tmp_path: Path
) -> None:
    unbroken = build(optimiser, order, seed=1)
    unbroken.train(STEPS)
    wanted = unbroken.state_dict()

    first = build(optimiser, order, seed=1)
    first.train(broken_at)
    save_state(tmp_path / "state.safetensors", first.state_dict())
    # another seed: whatever is not restored differs
    second = build(optimiser, order, seed=2)
    draws_everywhere(1.0)
    second.load_state_dict(load_state(tmp_path / "state.safetensors"))
    second.train(STEPS)

    assert_identical(second.state_dict(), wanted)


def test_the_state_holds_all_that_the_future_depends_on() -> None:
    trainer = build("adam", "alternating", seed=1)
    trainer.train(2)
    state = trainer.state_dict()
    assert (state["step"], state["batches_drawn"], state["ema"]["updates"]) == (2, 4, 2)
    (alone,) = state["random"]
    assert set(alone) == {"python", "numpy", "torch", "cuda"}
    other = build("adam", "alternating", seed=2)
    with pytest.raises(AssertionError):
        assert_identical(other.state_dict(), state)
    other.load_state_dict(state)
    assert_identical(other.state_dict(), state)


@pytest.mark.parametrize(("left_out", "kept"), [((), "bf16"), (("precision",), "fp32")])
def test_a_checkpoint_decides_the_number_format_unless_it_is_too_old_to_tell(
    left_out: tuple[str, ...], kept: Precision
) -> None:
    first, second = (build("adam", "alternating", seed=1) for _ in range(2))
    first.precision = "bf16"
    state = {name: v for name, v in first.state_dict().items() if name not in left_out}
    second.load_state_dict(state)
    assert second.precision == kept


def test_random_generators_go_back_to_where_they_were(tmp_path: Path) -> None:
    def draw() -> tuple[float, float, float, float]:
        return (
            random.random(),
            random.gauss(0, 1),
            float(np.random.standard_normal()),
            float(torch.randn(1)),
        )

    random_state.seed_all(4)
    draw()  # leaves half a pair of normal numbers in Python's and NumPy's generators
    save_state(tmp_path / "random.safetensors", random_state.capture())
    wanted = [draw(), draw()]
    random_state.seed_all(5)
    random_state.restore(load_state(tmp_path / "random.safetensors"))
    assert [draw(), draw()] == wanted


def test_a_seed_decides_every_generator() -> None:
    states = []
    for seed in (7, 2**40, 7):
        random_state.seed_all(seed)
        states.append((random.random(), float(np.random.random()), float(torch.rand(1))))
    assert states[0] == states[2]
    assert states[0][0] != states[1][0]
    assert states[0][2] != states[1][2]
