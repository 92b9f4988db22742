"""Distances to the true picture, as terms of the generator's loss."""

import pytest
import torch
from torch import Tensor, nn

from core.game import Batch
from core.phase import Forward
from srgan.game import SuperResolutionGame
from srgan.losses import (
    Distance,
    charbonnier,
    colour_term,
    frequency_term,
    grid_term,
    lpips_term,
    perceptual_term,
    pixel_term,
    teacher_term,
    total_variation,
    total_variation_term,
)
from srgan.stlpips import ShiftTolerantLPIPS


class Maps(nn.Module):
    """Two feature maps: the picture, and three times its mean over rows."""

    def forward(self, picture: Tensor) -> list[Tensor]:
        return [picture, 3 * picture.mean(dim=-2)]


def forward_of(fake: Tensor, real: Tensor) -> Forward:
    """A generator's move in which the samples are ``fake``."""
    return Forward(
        SuperResolutionGame(nn.Identity(), nn.Identity()), Batch(real, fake), "generator"
    )


@pytest.fixture
def pictures() -> tuple[Tensor, Tensor]:
    return torch.rand(2, 3, 4, 5, requires_grad=True), torch.rand(2, 3, 4, 5)


@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_the_pixel_loss_and_its_gradient(loss: Distance, pictures: tuple[Tensor, Tensor]) -> None:
    fake, real = pictures
    value = pixel_term(loss).function(forward_of(fake, real))
    off = (fake - real).detach()
    assert torch.allclose(value, (off.abs() if loss == "l1" else off**2).mean())
    (gradient,) = torch.autograd.grad(value, fake)
    assert torch.allclose(gradient, (off.sign() if loss == "l1" else 2 * off) / off.numel())


def test_the_perceptual_loss_adds_up_the_maps_of_pictures_shifted_alike() -> None:
    fake, real = torch.rand(2, 3, 16, 17, requires_grad=True), torch.rand(2, 3, 16, 17)
    torch.manual_seed(7)
    value = perceptual_term(Maps()).function(forward_of(fake, real))
    torch.manual_seed(7)
    top, left = torch.randint(8, (2,)).tolist()
    assert (top, left) != (0, 0)
    off = (fake - real)[..., top:, left:]
    wanted = off.square().mean() + 9 * off.mean(dim=-2).square().mean()
    assert torch.allclose(value, wanted)
    (gradient,) = torch.autograd.grad(value, fake)
    (expected,) = torch.autograd.grad(wanted, fake)
    assert torch.allclose(gradient, expected)


def test_a_perfect_picture_costs_nothing(pictures: tuple[Tensor, Tensor]) -> None:
    _, real = pictures
    for term in (pixel_term("l1"), pixel_term("mse"), perceptual_term(Maps())):
        assert float(term.function(forward_of(real, real))) == 0.0


def test_the_teacher_term_compares_with_the_teachers_picture_of_the_same_small_one() -> None:
    small, real = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    forward = forward_of(small, real)  # the generator hands the small picture through
    value = teacher_term(lambda lr: lr + 0.25).function(forward)
    assert torch.allclose(value, torch.tensor(0.25))
    assert teacher_term(lambda lr: lr, weight=3.0).factor(0) == 3.0


def test_pixels_are_compared_in_single_precision() -> None:
    real = torch.rand(1, 3, 4, 4)
    fake = torch.rand(1, 3, 4, 4).bfloat16()
    value = pixel_term("l1").function(forward_of(fake, real))
    assert value.dtype == torch.float32
    assert torch.allclose(value, (fake.float() - real).abs().mean())


def test_terms_carry_their_weight() -> None:
    assert pixel_term("l1", 0.25).factor(0) == 0.25
    assert perceptual_term(Maps(), weight=lambda step: step / 2).factor(3) == 1.5
    assert (pixel_term("l1").name, perceptual_term(Maps()).name) == ("pixel", "perceptual")


def test_the_game_upscales_the_condition_and_scores_the_large_picture() -> None:
    generator, discriminator = nn.Upsample(scale_factor=2.0), nn.Flatten()
    game = SuperResolutionGame(generator, discriminator)
    batch = Batch(torch.rand(2, 3, 8, 8), torch.rand(2, 3, 4, 4))
    assert torch.equal(game.fake(batch), generator(batch.cond))
    assert torch.equal(game.score(batch.real, batch), batch.real.flatten(1))


def test_a_conditional_discriminator_sees_the_small_picture_beside_the_large() -> None:
    game = SuperResolutionGame(nn.Identity(), nn.Identity(), conditional=True)
    batch = Batch(torch.rand(2, 3, 8, 8), torch.rand(2, 3, 4, 4))
    seen = game.score(batch.real, batch)
    assert batch.cond is not None
    assert torch.equal(seen[:, :3], batch.real)
    assert torch.equal(seen[:, 3:], batch.cond.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_a_discriminator_of_luma_sees_no_colour() -> None:
    game = SuperResolutionGame(nn.Identity(), nn.Identity(), conditional=True, luma=True)
    red, grey = torch.tensor([0.8, 0.0, 0.0]), torch.full((3,), 0.8 * 0.299)
    seen = [
        game.score(colour.view(1, 3, 1, 1).expand(1, 3, 8, 8), Batch(red, torch.rand(1, 3, 4, 4)))
        for colour in (red, grey)
    ]
    assert torch.allclose(seen[0][:, :1], seen[1][:, :1])
    assert seen[0].shape[1] == SuperResolutionGame.channels(conditional=True, luma=True) == 4


def test_charbonnier_is_l1_far_from_zero_and_smooth_at_it() -> None:
    wanted = torch.zeros(4)
    assert float(charbonnier(torch.full((4,), 0.5), wanted)) == pytest.approx(0.5, abs=2e-6)
    assert float(charbonnier(wanted, wanted)) == pytest.approx(1e-3)
    at_zero = torch.zeros(4, requires_grad=True)
    charbonnier(at_zero, wanted).backward()
    assert at_zero.grad is not None
    assert torch.equal(at_zero.grad, torch.zeros(4))


def test_the_frequency_term_is_the_spectrum_of_the_difference() -> None:
    real = torch.rand(1, 1, 4, 4)
    # A constant offset c puts 4c into the orthonormal spectrum's first bin and nothing elsewhere;
    # the half spectrum of 4x4 has 4x3 bins of two numbers each.
    value = frequency_term().function(forward_of(real + 0.25, real))
    assert float(value) == pytest.approx(4 * 0.25 / 24, abs=1e-6)
    assert float(frequency_term().function(forward_of(real, real))) == 0.0


def test_the_grid_term_is_of_an_error_that_repeats_and_of_no_other() -> None:
    real = torch.rand(1, 3, 32, 32)
    pattern = torch.tensor([[1.0, -1], [-1, 1]]).repeat(16, 16) * 0.1
    term = grid_term(2, 3.0)
    assert (term.name, term.factor(0)) == ("grid", 3.0)
    assert float(term.function(forward_of(real + pattern, real))) == pytest.approx(0.1, abs=1e-6)
    # The same strokes with the sign of every second pair of rows turned round.
    turned = pattern * torch.tensor([1.0, 1, -1, -1]).repeat(8)[:, None]
    assert float(term.function(forward_of(real + turned, real))) == pytest.approx(0.0, abs=1e-6)


class Shifts(nn.Module):
    """Enlarges to twice the size, adds texture whose mean is 0, and shifts all levels."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        texture = torch.tensor([[0.1, -0.1]]).repeat(2 * height, width)
        return nn.functional.interpolate(lr, scale_factor=2.0) + texture + self.shift


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_the_colour_term_is_of_means_and_of_the_input_not_of_the_original(shift: float) -> None:
    cond = torch.rand(2, 3, 16, 24)
    game = SuperResolutionGame(Shifts(shift), nn.Identity())
    forward = Forward(game, Batch(torch.zeros(2, 3, 32, 48), cond), "generator")
    term = colour_term(2, 5.0)
    assert (term.name, term.factor(0)) == ("colour", 5.0)
    assert float(term.function(forward)) == pytest.approx(shift, abs=1e-6)


def test_total_variation_adds_up_the_steps_across_and_down() -> None:
    ramp = torch.arange(5.0).expand(1, 2, 3, 5) * 0.1
    assert float(total_variation(ramp)) == pytest.approx(0.1)
    assert float(total_variation(ramp.mT)) == pytest.approx(0.1)
    term = total_variation_term(2.0)
    assert (term.name, term.factor(0)) == ("total_variation", 2.0)
    assert float(term.function(forward_of(ramp, ramp))) == pytest.approx(0.1)


def test_the_lpips_term_is_the_metrics_mean() -> None:
    metric = ShiftTolerantLPIPS("alex")
    fake, real = torch.rand(2, 3, 40, 40), torch.rand(2, 3, 40, 40)
    value = lpips_term(metric).function(forward_of(fake, real))
    assert torch.allclose(value, metric(fake, real).mean())
