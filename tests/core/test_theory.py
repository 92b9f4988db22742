"""What Goodfellow et al. 2014 prove, and Mescheder et al. 2018 after them, seen to happen."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from core.adversarial import adversarial_loss
from core.penalties import r1_term
from core.phase import Phase, adversarial_discriminator_term, adversarial_generator_term
from core.schedule import constant
from core.trainer import Trainer
from tests.core.games import Counting, DiracGame, sgd

OTHERS = [(0.0, 1.0), (1.0, 1.0), (2.0, 0.5), (4.0, 1.0)]


def normal(mean: float, deviation: float) -> Normal:
    """A normal density in double precision."""
    return Normal(
        torch.tensor(mean, dtype=torch.float64), torch.tensor(deviation, dtype=torch.float64)
    )


DATA = normal(0.0, 1.0)


def quantiles(density: Normal, count: int = 2048) -> Tensor:
    """Equally likely points: a mean over them is an integral against the density."""
    share = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    points: Tensor = density.icdf(share)
    return points[:, None]


def jensen_shannon(one: Normal, other: Normal) -> float:
    """The Jensen-Shannon divergence in nats, by the trapezoidal rule."""
    x = torch.linspace(-12, 14, 200_001, dtype=torch.float64)
    p, q = one.log_prob(x), other.log_prob(x)
    mixture = torch.logaddexp(p, q) - math.log(2)
    integrand = 0.5 * (p.exp() * (p - mixture) + q.exp() * (q - mixture))
    return float(torch.trapezoid(integrand, x))


def optimal_discriminator(real: Tensor, fake: Tensor) -> tuple[nn.Module, float]:
    """Train a network to the optimum; return it and its value V(D, G)."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(1, 32), nn.Softplus(), nn.Linear(32, 32), nn.Softplus(),
                            nn.Linear(32, 1)).double()  # fmt: skip
    loss = adversarial_loss("minimax")
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=400, history_size=20, line_search_fn="strong_wolfe",
        tolerance_grad=1e-9, tolerance_change=1e-12,
    )  # fmt: skip

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss.discriminator(network(real), network(fake))
        value.backward()
        return value

    optimizer.step(closure)
    return network, -closure().item()


@pytest.mark.parametrize(("mean", "deviation"), OTHERS)
def test_at_the_optimum_the_value_is_the_jensen_shannon_divergence(
    mean: float, deviation: float
) -> None:
    """Theorem 1: V(D*, G) = -log 4 + 2 JSD; proposition 1: D* = p_data / (p_data + p_g)."""
    other = normal(mean, deviation)
    real, fake = quantiles(DATA), quantiles(other)
    network, value = optimal_discriminator(real, fake)
    assert value == pytest.approx(-math.log(4) + 2 * jensen_shannon(DATA, other), abs=2e-3)
    points = torch.cat([real, fake])
    with torch.no_grad():
        got = torch.sigmoid(network(points))
    wanted = torch.sigmoid(DATA.log_prob(points) - other.log_prob(points))
    assert float((got - wanted).abs().mean()) <= 5e-3


def test_equal_densities_leave_the_discriminator_guessing() -> None:
    """Where p_g = p_data the value is -log 4, its least."""
    assert jensen_shannon(DATA, DATA) == pytest.approx(0.0, abs=1e-12)
    values = [2 * jensen_shannon(DATA, normal(*other)) for other in OTHERS]
    assert values == sorted(values)
    assert values[-1] < 2 * math.log(2)


class Origin(Counting):
    """Data that is always zero."""

    def __init__(self) -> None:
        super().__init__(first=0.0, pace=0.0)


def distance_from_equilibrium(weight: float, steps: int) -> float:
    """Play the Dirac-GAN by simultaneous gradient steps from (0.7, -0.4)."""
    game = DiracGame()
    loss = adversarial_loss("minimax")
    trainer = Trainer(
        game,
        [
            Phase(
                "discriminator",
                sgd(game.discriminator),
                [adversarial_discriminator_term(loss), r1_term(weight)],
                constant(0.1),
            ),
            Phase("generator", sgd(game.generator), [adversarial_generator_term(loss)],
                  constant(0.1)),
        ],
        Origin(),
        order="simultaneous",
    )  # fmt: skip
    trainer.train(steps)
    return math.hypot(*game.position)


def test_the_unregularised_game_circles_and_r1_makes_it_converge() -> None:
    """Mescheder et al. 2018, lemma 2.3 and theorem 4.1."""
    start = math.hypot(0.7, -0.4)
    assert distance_from_equilibrium(0.0, 600) > start
    assert distance_from_equilibrium(1.0, 600) < 0.01 * start


LOGITS = [-30.0, -19.0, -3.0, -0.5, 0.0, 0.7, 4.0, 19.0, 30.0]


@pytest.mark.parametrize("logit", LOGITS)
def test_the_gradients_by_the_logit_are_exact(logit: float) -> None:
    """Both players' losses of equation 1, and section 3's other one, by sigmoids alone."""

    def gradient(loss: Callable[[Tensor, Tensor], Tensor], *, by_real: bool) -> float:
        real = torch.full((4, 1), logit, dtype=torch.float64, requires_grad=True)
        fake = torch.full((4, 1), logit, dtype=torch.float64, requires_grad=True)
        (found,) = torch.autograd.grad(4 * loss(real, fake), real if by_real else fake)
        assert torch.equal(found, found[:1].expand_as(found))
        return float(found[0])

    probability, other = 1 / (1 + math.exp(-logit)), 1 / (1 + math.exp(logit))
    minimax, saturating_not = adversarial_loss("minimax"), adversarial_loss("non-saturating")
    for loss, by_real, wanted in (
        (minimax.discriminator, True, -other),
        (minimax.discriminator, False, probability),
        (minimax.generator, False, -probability),
        (saturating_not.generator, False, -other),
    ):
        # past 20 a softplus is taken to be straight, which is off by 2e-9 at most
        assert gradient(loss, by_real=by_real) == pytest.approx(wanted, rel=1e-14, abs=3e-9)
