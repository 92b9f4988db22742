"""Degradations: what they keep, what they change, and that a seed says it all."""

import math

import pytest
import torch
from torch import Tensor

from srgan.degradations import DEGRADATIONS, DegradationName, Draw, kernels
from srgan.degradations.stages import Blur, Jpeg, Noise, Resize, Sinc
from srgan.resize import imresize

CPU = torch.device("cpu")


def photographs(count: int = 4, side: int = 96) -> Tensor:
    """Smooth colour waves: something to blur, without the randomness of noise."""
    x = torch.arange(side) / side
    waves = [
        0.5 + 0.4 * torch.outer(torch.sin((3 + i + c) * x), torch.cos((5 + 2 * i - c) * x))
        for i in range(count)
        for c in range(3)
    ]
    return torch.stack(waves).reshape(count, 3, side, side)


@pytest.mark.parametrize("name", list(DEGRADATIONS))
@pytest.mark.parametrize("scale", [2, 4])
def test_the_result_is_small_whole_levels_and_depends_on_the_seed_alone(
    name: DegradationName, scale: int
) -> None:
    hr = photographs()
    lr = DEGRADATIONS[name](hr, scale, Draw((1, 2), CPU))
    assert lr.shape == (4, 3, 96 // scale, 96 // scale)
    assert 0 <= float(lr.min()) <= float(lr.max()) <= 1
    assert torch.allclose(lr * 255, (lr * 255).round(), atol=1e-4)
    torch.rand(3)  # what others draw does not matter
    assert torch.equal(lr, DEGRADATIONS[name](hr, scale, Draw((1, 2), CPU)))
    if name != "bicubic":
        assert not torch.equal(lr, DEGRADATIONS[name](hr, scale, Draw((1, 3), CPU)))


@pytest.mark.parametrize("name", ["camera", "real"])
def test_over_many_draws_the_mean_colour_stays(name: DegradationName) -> None:
    hr = photographs(2)
    results = [DEGRADATIONS[name](hr, 4, Draw((seed,), CPU)) for seed in range(24)]
    drift = torch.stack(results).mean(dim=(0, 3, 4)) - hr.mean(dim=(2, 3))
    assert float(drift.abs().max()) < 0.02


def test_bicubic_is_matlabs() -> None:
    hr = photographs(1)
    lr = DEGRADATIONS["bicubic"](hr, 4, Draw((0,), CPU))
    assert float((lr - imresize(hr, 0.25).clamp(0, 1)).abs().max()) <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("size", [7, 15, 21])
def test_kernels_sum_to_one_and_are_point_symmetric(size: int) -> None:
    one, two, angle, beta = (torch.full((2,), v) for v in (1.3, 2.6, 0.7, 1.5))
    for kernel in (
        kernels.gaussian(size, one),
        kernels.anisotropic(size, one, two, angle),
        kernels.generalised_gaussian(size, one, two, angle, beta),
        kernels.plateau(size, one, two, angle, beta),
        kernels.sinc(size, two),
    ):
        assert kernel.shape == (2, size, size)
        assert torch.allclose(kernel.sum(dim=(1, 2)), torch.ones(2), atol=1e-5)
        assert torch.allclose(kernel, kernel.flip(1, 2), atol=1e-6)


def test_a_gaussian_has_the_spread_that_was_asked_for_along_its_axes() -> None:
    kernel = kernels.anisotropic(
        21, torch.tensor([2.5]), torch.tensor([1.0]), torch.tensor([math.pi / 2])
    )[0]
    offsets = torch.arange(21) - 10.0
    across = (kernel.sum(dim=0) * offsets**2).sum()
    down = (kernel.sum(dim=1) * offsets**2).sum()
    assert float(down) == pytest.approx(2.5**2, rel=0.01)
    assert float(across) == pytest.approx(1.0, rel=0.01)


def test_beta_one_makes_the_generalised_gaussian_an_ordinary_one() -> None:
    sigma, angle, one = torch.tensor([1.7]), torch.tensor([0.3]), torch.ones(1)
    ordinary = kernels.anisotropic(15, sigma, 2 * sigma, angle)
    general = kernels.generalised_gaussian(15, sigma, 2 * sigma, angle, one)
    assert torch.allclose(general, ordinary, atol=1e-6)


def test_sinc_passes_below_its_cutoff_and_stops_above() -> None:
    kernel = kernels.sinc(41, torch.tensor([math.pi / 2]))[0]
    offsets = torch.arange(41) - 20.0

    def response(frequency: float) -> float:
        return float((kernel.sum(dim=0) * torch.cos(frequency * offsets)).sum())

    assert response(0.2 * math.pi) == pytest.approx(1.0, abs=0.1)
    assert response(0.8 * math.pi) == pytest.approx(0.0, abs=0.1)


def test_noise_has_the_strength_that_was_asked_for() -> None:
    grey = torch.full((2, 3, 128, 128), 0.5)
    noisy = Noise(gaussian=1.0, grey=0.0, sigma=(10.0, 10.0))(grey, Draw((0,), CPU))
    assert float((noisy - grey).std()) == pytest.approx(10 / 255, rel=0.03)
    same = Noise(gaussian=1.0, grey=1.0)(grey, Draw((0,), CPU))
    assert torch.equal(same[:, 0], same[:, 1])
    shot = Noise(gaussian=0.0, grey=0.0, poisson_scale=(1.0, 1.0))(grey, Draw((0,), CPU))
    assert float((shot - grey).std()) == pytest.approx((0.5 / 255) ** 0.5, rel=0.03)


def test_half_of_the_exponents_lie_below_1_as_published() -> None:
    draw = Draw((0,), CPU)
    generalised = draw.around_one(4000, (0.5, 4.0))
    assert float((generalised < 1).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert float(generalised[generalised < 1].mean()) == pytest.approx(0.75, abs=0.02)
    assert float(generalised[generalised > 1].mean()) == pytest.approx(2.5, abs=0.06)
    plateau = draw.around_one(4000, (1.0, 2.0))
    assert float((plateau == 1).float().mean()) == pytest.approx(0.5, abs=0.03)


def test_a_cropped_kernel_is_the_one_of_that_size() -> None:
    one, cutoff = torch.tensor([1.7, 1.7]), torch.tensor([1.2, 1.2])
    for make, argument in ((kernels.gaussian, one), (kernels.sinc, cutoff)):
        cropped = kernels.cropped(make(21, argument), [7, 15])
        for kernel, size in zip(cropped, (7, 15), strict=True):
            margin = (21 - size) // 2
            inside = kernel[margin : 21 - margin, margin : 21 - margin]
            assert torch.allclose(inside, make(size, argument)[0], atol=1e-6)
            assert float(kernel.abs().sum()) == pytest.approx(float(inside.abs().sum()), abs=1e-6)


def test_each_picture_of_a_batch_has_a_kernel_size_of_its_own() -> None:
    points = torch.zeros(16, 3, 43, 43)
    points[:, :, 21, 21] = 1.0
    # so wide a Gaussian that it ends where its kernel does
    spread = Blur(sigma=(50.0, 50.0), shares=(1, 0, 0, 0, 0, 0, 0))(points, Draw((3,), CPU))
    sides = {int((spread[i, 0, 21] > 1e-6).sum()) for i in range(16)}
    assert len(sides) > 3
    assert sides <= set(range(7, 22, 2))


def test_grey_noise_and_the_last_filter_are_drawn_for_each_picture() -> None:
    even = torch.full((64, 3, 32, 32), 0.5)  # where no noise is clipped
    for gaussian in (0.0, 1.0):
        stage = Noise(gaussian=gaussian, grey=0.4, sigma=(5, 10), poisson_scale=(1, 1))
        noise = stage(even, Draw((0,), CPU)) - even
        grey = [torch.allclose(n[0], n[1], atol=1e-6) for n in noise]
        assert sum(grey) / 64 == pytest.approx(0.4, abs=0.15)
    hr = photographs(1).expand(64, -1, -1, -1)
    filtered = Sinc(probability=0.8)(hr, Draw((0,), CPU))
    untouched = [torch.equal(a, b) for a, b in zip(filtered, hr, strict=True)]
    assert sum(untouched) / 64 == pytest.approx(0.2, abs=0.12)


def test_the_second_resize_starts_from_what_the_first_left_and_is_relative_to_the_result() -> None:
    """A picture that was reduced too far is not reduced and enlarged once more on the way."""
    hr = photographs(1, 100)
    sides = [
        Resize(factor=(0.5, 2.0))(hr, Draw((seed,), CPU), base=(40, 30)).shape[-2:]
        for seed in range(20)
    ]
    assert all(20 <= height <= 80 and 15 <= width <= 60 for height, width in sides)
    assert len(set(sides)) > 5


def test_jpeg_hurts_more_at_lower_quality() -> None:
    hr = (photographs() + 0.1 * torch.rand(4, 3, 96, 96)).clamp(0, 1)
    errors = [
        float((Jpeg((q, q))(hr, Draw((0,), CPU)) - hr).square().mean()) for q in (20.0, 60.0, 95.0)
    ]
    assert errors[0] > errors[1] > errors[2] > 0


def test_a_stage_that_is_not_drawn_changes_nothing() -> None:
    hr = photographs()
    draw = Draw((0,), CPU)
    assert Blur(probability=0.0)(hr, draw) is hr
    assert torch.equal(Sinc(probability=0.0)(hr, draw), hr)
    assert torch.equal(Resize(shares=(0, 0, 1))(hr, draw), hr)


def test_resizing_stays_within_its_bounds() -> None:
    hr = photographs(1, 100)
    sides = [Resize(factor=(0.3, 1.2))(hr, Draw((s,), CPU)).shape[-1] for s in range(60)]
    assert 30 <= min(sides) < 60
    assert 100 < max(sides) <= 120
    assert 100 in sides


@pytest.mark.parametrize(
    "make",
    [
        lambda: Blur(size=(6, 21)),
        lambda: Blur(sigma=(0.0, 1.0)),
        lambda: Blur(shares=(1.0,)),
        lambda: Blur(probability=1.5),
        lambda: Blur(generalised_beta=(1.5, 4.0)),
        lambda: Blur(plateau_beta=(0.5, 0.9)),
        lambda: Sinc(probability=-0.1),
        lambda: Sinc(size=(8, 21)),
        lambda: Noise(gaussian=1.2),
        lambda: Noise(grey=float("nan")),
        lambda: Resize(shares=(0.5, -0.2, 0.7)),
        lambda: Resize(shares=(0.0, 0.0, 0.0)),
        lambda: Noise(sigma=(5.0, 1.0)),
        lambda: Jpeg(quality=(0.0, 50.0)),
        lambda: Jpeg(quality=(50.0, 101.0)),
        lambda: Resize(factor=(0.0, 1.0)),
    ],
)
def test_parameters_out_of_range_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="must"):
        make()
