"""Every adversarial loss, its value and its gradient by logit, against closed forms."""

from collections.abc import Callable, Mapping
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
import torch

from core.adversarial import LOSSES, LossName, PairLoss, adversarial_loss, win_rate

Floats = npt.NDArray[np.float64]
# (value, gradient by the real logits, gradient by the fake logits)
Form = tuple[float, Floats, Floats]
ClosedForm = Callable[[Floats, Floats], Form]

REAL = np.array([1.5, -0.3, 0.9, -2.0, 0.4])
FAKE = np.array([-0.7, 0.2, -1.6, 2.5, -0.1])


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def softplus(x: Floats) -> Floats:
    return np.log1p(np.exp(x))


def cross_entropy(real: Floats, fake: Floats) -> Form:
    n = len(real)
    value = -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean()
    return float(value), -sigmoid(-real) / n, sigmoid(fake) / n


def minimax_generator(real: Floats, fake: Floats) -> Form:
    value = np.log(1 - sigmoid(fake)).mean()
    return float(value), 0 * real, -sigmoid(fake) / len(fake)


def non_saturating_generator(real: Floats, fake: Floats) -> Form:
    value = -np.log(sigmoid(fake)).mean()
    return float(value), 0 * real, -sigmoid(-fake) / len(fake)


def least_squares_discriminator(real: Floats, fake: Floats) -> Form:
    n = len(real)
    return float(((real - 1) ** 2 + fake**2).mean() / 2), (real - 1) / n, fake / n


def least_squares_generator(real: Floats, fake: Floats) -> Form:
    return float(((fake - 1) ** 2).mean() / 2), 0 * real, (fake - 1) / len(fake)


def hinge_discriminator(real: Floats, fake: Floats) -> Form:
    n = len(real)
    value = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    return float(value), -1.0 * (real < 1) / n, 1.0 * (fake > -1) / n


def wasserstein_discriminator(real: Floats, fake: Floats) -> Form:
    n = len(real)
    return float(fake.mean() - real.mean()), np.full(n, -1 / n), np.full(n, 1 / n)


def raise_fake(real: Floats, fake: Floats) -> Form:
    return float(-fake.mean()), 0 * real, np.full(len(fake), -1 / len(fake))


def relativistic_average(winner: Floats, loser: Floats) -> Form:
    n = len(winner)
    above, below = loser.mean() - winner, loser - winner.mean()
    value = (softplus(above).mean() + softplus(below).mean()) / 2
    by_winner = -(sigmoid(above) + sigmoid(below).mean()) / (2 * n)
    by_loser = (sigmoid(above).mean() + sigmoid(below)) / (2 * n)
    return float(value), by_winner, by_loser


def relativistic_paired(winner: Floats, loser: Floats) -> Form:
    behind = loser - winner
    slope = sigmoid(behind) / len(winner)
    return float(softplus(behind).mean()), -slope, slope


def swapped(form: ClosedForm) -> ClosedForm:
    def generator(real: Floats, fake: Floats) -> Form:
        value, by_fake, by_real = form(fake, real)
        return value, by_real, by_fake

    return generator


FORMS: Mapping[str, tuple[ClosedForm, ClosedForm]] = {
    "minimax": (cross_entropy, minimax_generator),
    "non-saturating": (cross_entropy, non_saturating_generator),
    "least-squares": (least_squares_discriminator, least_squares_generator),
    "hinge": (hinge_discriminator, raise_fake),
    "wasserstein": (wasserstein_discriminator, raise_fake),
    "relativistic-average": (relativistic_average, swapped(relativistic_average)),
    "relativistic-paired": (relativistic_paired, swapped(relativistic_paired)),
}
RELATIVISTIC = ["relativistic-average", "relativistic-paired"]

every_loss = pytest.mark.parametrize("name", list(LOSSES))


def value_and_gradients(loss: PairLoss, real: Floats, fake: Floats) -> Form:
    r = torch.tensor(real, requires_grad=True)
    f = torch.tensor(fake, requires_grad=True)
    value = loss(r, f)
    by_real, by_fake = torch.autograd.grad(value, (r, f), materialize_grads=True)
    return float(value.detach()), by_real.numpy(), by_fake.numpy()


def assert_same(got: Form, wanted: Form) -> None:
    assert got[0] == pytest.approx(wanted[0], rel=0, abs=1e-12)
    np.testing.assert_allclose(got[1], wanted[1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(got[2], wanted[2], rtol=0, atol=1e-12)


def test_every_loss_has_a_closed_form_here() -> None:
    assert set(FORMS) == set(LOSSES)


@every_loss
def test_discriminator_loss_and_gradient(name: str) -> None:
    got = value_and_gradients(LOSSES[name].discriminator, REAL, FAKE)
    assert_same(got, FORMS[name][0](REAL, FAKE))


@every_loss
def test_generator_loss_and_gradient(name: str) -> None:
    got = value_and_gradients(LOSSES[name].generator, REAL, FAKE)
    assert_same(got, FORMS[name][1](REAL, FAKE))


@every_loss
def test_logits_of_any_shape_count_alike(name: str) -> None:
    real, fake = torch.tensor(REAL[:4]), torch.tensor(FAKE[:4])
    for loss in (LOSSES[name].discriminator, LOSSES[name].generator):
        assert torch.allclose(
            loss(real, fake), loss(real.view(2, 1, 1, 2), fake.view(2, 1, 1, 2)), atol=1e-15
        )


@every_loss
@pytest.mark.parametrize(("real", "fake"), [(1e4, -1e4), (-1e4, 1e4), (1e4, 1e4), (-1e4, -1e4)])
def test_huge_logits_stay_finite(name: str, real: float, fake: float) -> None:
    for loss in (LOSSES[name].discriminator, LOSSES[name].generator):
        r = torch.full((4, 1), real, requires_grad=True)
        f = torch.full((4, 1), fake, requires_grad=True)
        value = loss(r, f)
        gradients = torch.autograd.grad(value, (r, f), materialize_grads=True)
        assert all(torch.isfinite(x).all() for x in (value, *gradients))


def test_a_generator_that_is_seen_through_learns_only_where_the_loss_does_not_saturate() -> None:
    hopeless = np.full(4, -40.0)
    _, _, minimax = value_and_gradients(LOSSES["minimax"].generator, REAL[:4], hopeless)
    _, _, other = value_and_gradients(LOSSES["non-saturating"].generator, REAL[:4], hopeless)
    assert np.abs(minimax).max() < 1e-17
    np.testing.assert_allclose(other, -1 / 4, rtol=1e-12)


@pytest.mark.parametrize("name", RELATIVISTIC)
def test_relativistic_losses_see_differences_only(name: str) -> None:
    for loss in (LOSSES[name].discriminator, LOSSES[name].generator):
        assert_same(
            value_and_gradients(loss, REAL + 7.5, FAKE + 7.5), value_and_gradients(loss, REAL, FAKE)
        )


@pytest.mark.parametrize("name", sorted(set(LOSSES) - set(RELATIVISTIC)))
def test_other_losses_do_not(name: str) -> None:
    moved = value_and_gradients(LOSSES[name].generator, REAL + 7.5, FAKE + 7.5)
    assert abs(moved[0] - value_and_gradients(LOSSES[name].generator, REAL, FAKE)[0]) > 0.1


def test_values_by_hand() -> None:
    zero, two = torch.zeros(2), torch.full((2,), 2.0)
    for name in RELATIVISTIC:
        assert float(LOSSES[name].discriminator(two, zero)) == pytest.approx(0.126928, abs=1e-6)
        assert float(LOSSES[name].generator(two, zero)) == pytest.approx(2.126928, abs=1e-6)
    assert float(LOSSES["minimax"].discriminator(zero, zero)) == pytest.approx(1.386294, abs=1e-6)
    assert float(LOSSES["minimax"].generator(zero, zero)) == pytest.approx(-0.693147, abs=1e-6)


@every_loss
def test_a_loss_says_whether_its_generator_looks_at_the_data(name: str) -> None:
    loss = adversarial_loss(name)
    _, by_real, _ = value_and_gradients(loss.generator, REAL, FAKE)
    assert loss.relativistic == bool(np.abs(by_real).sum())
    assert loss.name == name


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'hinged'") as refusal:
        adversarial_loss("hinged")
    assert all(name in str(refusal.value) for name in LOSSES)


def test_win_rate_is_the_share_on_the_right_side() -> None:
    real = torch.tensor([[0.1], [2.0], [-1.0], [3.0]])
    fake = torch.tensor([[-0.1], [2.0], [1.0], [3.0]])
    assert float(win_rate(real, fake)) == 0.5 * (3 / 4 + 1 / 4)
    assert float(win_rate(-fake, -real)) == 0.5 * (1 / 4 + 3 / 4)
    assert float(win_rate(torch.zeros(4), torch.zeros(4))) == 0.0


def test_the_command_line_offers_every_loss() -> None:
    assert get_args(LossName) == tuple(LOSSES)
