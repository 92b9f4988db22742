"""Penalties against closed forms on discriminators whose gradient is known."""

import pytest
import torch
from torch import Tensor, nn

from core.game import Batch
from core.penalties import gradient_penalty_term, input_gradients, r1_term, r2_term
from core.phase import Forward, Phase, Term
from core.schedule import constant
from core.trainer import Trainer

N, SHAPE = 5, (2, 3, 3)


class Quadratic(nn.Module):
    """The logit ``a·x + c·|x|^2``, whose gradient is ``a + 2 c x``."""

    def __init__(self, curvature: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.slope = nn.Parameter(torch.randn(18))
        self.curvature = nn.Parameter(torch.tensor(curvature))

    def forward(self, sample: Tensor) -> Tensor:
        flat = sample.flatten(1)
        return (flat @ self.slope + self.curvature * flat.square().sum(dim=1))[:, None]


class Game:
    """Samples are the data shifted by a number that learns."""

    def __init__(self, discriminator: nn.Module) -> None:
        self.discriminator = discriminator
        self.generator = nn.ParameterList([torch.tensor(0.5)])

    def fake(self, batch: Batch) -> Tensor:
        shift: Tensor = self.generator[0]
        return batch.real + shift

    def score(self, sample: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.discriminator(sample)
        return logits


def slope_of(game: Game) -> Tensor:
    assert isinstance(game.discriminator, Quadratic)
    return game.discriminator.slope


def forward_of(game: Game) -> Forward:
    torch.manual_seed(2)
    return Forward(game, Batch(torch.randn(N, *SHAPE)), "discriminator")


def test_on_a_linear_discriminator_every_penalty_has_its_closed_form() -> None:
    game = Game(Quadratic())
    slope = slope_of(game).detach()
    forward = forward_of(game)
    half = 0.5 * float(slope.square().sum())
    assert float(r1_term(1.0).function(forward).detach()) == pytest.approx(half, rel=1e-5)
    assert float(r2_term(1.0).function(forward)) == pytest.approx(half, rel=1e-5)
    off = (float(slope.norm()) - 1) ** 2
    assert float(gradient_penalty_term().function(forward)) == pytest.approx(off, rel=1e-5)


def test_the_gradient_by_the_discriminators_weights_is_the_closed_forms() -> None:
    game = Game(Quadratic())
    slope = slope_of(game)
    (by_r1,) = torch.autograd.grad(r1_term(1.0).function(forward_of(game)), slope)
    assert torch.allclose(by_r1, slope, atol=1e-5)
    (by_gp,) = torch.autograd.grad(gradient_penalty_term().function(forward_of(game)), slope)
    assert torch.allclose(by_gp, 2 * (slope.norm() - 1) * slope / slope.norm(), atol=1e-5)


def test_r1_looks_at_the_data_and_r2_at_the_samples() -> None:
    game = Game(Quadratic(curvature=0.3))
    forward = forward_of(game)
    slope = slope_of(game).detach()
    for term, sample in ((r1_term(1.0), forward.real), (r2_term(1.0), forward.fake.detach())):
        wanted = 0.5 * (slope + 0.6 * sample.flatten(1)).square().sum(dim=1).mean()
        assert float(term.function(forward)) == pytest.approx(float(wanted), rel=1e-5)


def test_the_mixture_lies_between_each_pair() -> None:
    game = Game(Quadratic())
    seen: list[Tensor] = []
    game.score = lambda sample, batch: (seen.append(sample), Game.score(game, sample, batch))[1]  # type: ignore[method-assign, func-returns-value]
    forward = forward_of(game)
    gradient_penalty_term().function(forward)
    (mixed,) = seen
    shares = (mixed - forward.real) / (forward.fake - forward.real)
    flat = shares.detach().flatten(1)
    assert torch.allclose(flat, flat[:, :1].expand_as(flat), atol=1e-4)
    assert 0 <= float(flat.min()) < float(flat.max()) <= 1
    assert len(set(flat[:, 0].tolist())) == N


def test_several_logits_of_a_sample_count_together() -> None:
    class Double(Quadratic):
        def forward(self, sample: Tensor) -> Tensor:
            logit = super().forward(sample)
            return torch.cat([logit, 2 * logit], dim=1)

    game = Game(Double())
    gradients = input_gradients(game, torch.randn(N, *SHAPE), Batch(torch.zeros(N)))
    slope = slope_of(game).detach()
    assert gradients.shape == (N, 18)
    assert torch.allclose(gradients, (3 * slope).expand(N, 18), atol=1e-5)


def test_penalties_stay_in_single_precision_inside_autocast() -> None:
    game = Game(nn.Sequential(nn.Flatten(), nn.Linear(18, 1)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = r1_term(1.0).function(forward_of(game))
    outside = r1_term(1.0).function(forward_of(game))
    assert inside.dtype == torch.float32
    assert torch.equal(inside, outside)


@pytest.mark.parametrize("make", [r1_term, r2_term, gradient_penalty_term])
def test_they_are_lazy_terms_of_a_discriminators_phase(make: type[Term]) -> None:
    game = Game(Quadratic())
    term = make(0.01, every=2)  # type: ignore[call-arg, arg-type]
    phase = Phase(
        "discriminator",
        torch.optim.SGD(game.discriminator.parameters(), lr=0.1),
        [term],
        constant(0.1),
    )

    class Data:
        def batch(self, index: int) -> Batch:
            return Batch(torch.randn(N, *SHAPE, generator=torch.Generator().manual_seed(index)))

    trainer = Trainer(game, [phase], Data())
    norms = []
    for step in range(1, 5):
        trainer.train(step)
        norms.append(float(slope_of(game).detach().norm()))
    assert norms[0] == norms[1] > norms[2] == norms[3]
