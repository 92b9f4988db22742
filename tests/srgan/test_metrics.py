"""PSNR, SSIM and luma against closed forms."""

import math

import pytest
import torch
from torch import Tensor

from srgan.metrics import crop_border, luma, psnr, psnr_y, quantise, ssim


def grey(level: float, channels: int = 1) -> Tensor:
    return torch.full((1, channels, 16, 18), level, dtype=torch.float64)


@pytest.fixture
def noise() -> Tensor:
    return torch.rand(1, 3, 16, 18, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("offset", [0.5, 0.1, 1 / 255])
def test_psnr_of_a_constant_offset(offset: float, noise: Tensor) -> None:
    assert psnr(noise + offset, noise) == pytest.approx(-20 * math.log10(offset))


def test_psnr_averages_the_error_over_all_pixels_before_the_logarithm() -> None:
    picture = grey(0.0)
    picture[..., :9] = 0.2
    assert psnr(picture, grey(0.0)) == pytest.approx(-10 * math.log10(0.04 / 2))


def test_the_published_psnr_is_of_rounded_luma_without_the_border(noise: Tensor) -> None:
    picture = noise + 0.1 / 255  # rounds away, or up by one level
    picture[..., 0, :] = 0  # the border
    rounded = quantise(noise), quantise(noise + 0.1 / 255)
    inner = [luma(each)[..., 2:-2, 2:-2] for each in rounded]
    assert psnr_y(picture, noise, 2) == psnr(*inner)
    assert psnr_y(picture + 5, noise + 5, 2) == math.inf  # all is clipped to white


def test_equal_pictures(noise: Tensor) -> None:
    assert psnr(noise, noise) == math.inf
    assert ssim(noise, noise) == pytest.approx(1.0, abs=1e-12)


def test_psnr_and_ssim_do_not_care_which_picture_is_the_reference(noise: Tensor) -> None:
    other = noise.flip(-1)
    assert psnr(noise, other) == psnr(other, noise)
    assert ssim(noise, other) == pytest.approx(ssim(other, noise), abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [(0.2, 0.7), (0.0, 1.0), (0.5, 0.51)])
def test_ssim_of_flat_pictures_is_its_luminance_part(a: float, b: float) -> None:
    c1 = 0.01**2
    wanted = (2 * a * b + c1) / (a**2 + b**2 + c1)
    assert ssim(grey(a), grey(b)) == pytest.approx(wanted, abs=1e-9)


def test_ssim_of_a_scaled_contrast(noise: Tensor) -> None:
    # with equal means over every window only the structure part is left; a checkerboard's means
    # over a symmetric window are nearly, not quite, equal: hence the tolerance
    sign = torch.ones(16, 18, dtype=torch.float64)
    sign[::2, 1::2] = sign[1::2, ::2] = -1
    x, y = 0.5 + 0.2 * sign, 0.5 + 0.1 * sign
    c2 = 0.03**2
    wanted = (2 * 0.02 + c2) / (0.04 + 0.01 + c2)
    assert ssim(x[None, None], y[None, None]) == pytest.approx(wanted, abs=1e-4)
    assert ssim(1 - noise, noise) < 0


def test_ssim_is_the_mean_over_channels(noise: Tensor) -> None:
    other = noise.flip(-2)
    each = [ssim(noise[:, c : c + 1], other[:, c : c + 1]) for c in range(3)]
    assert ssim(noise, other) == pytest.approx(sum(each) / 3, abs=1e-12)


def test_ssim_needs_room_for_its_window() -> None:
    assert ssim(torch.zeros(1, 1, 11, 11), torch.zeros(1, 1, 11, 11)) == 1.0
    with pytest.raises(ValueError, match="at least 11"):
        ssim(torch.zeros(1, 1, 11, 10), torch.zeros(1, 1, 11, 10))


@pytest.mark.parametrize(
    ("rgb", "y"),
    [
        ((0, 0, 0), 16),
        ((1, 1, 1), 235),
        ((0.5, 0.5, 0.5), 125.5),
        ((1, 0, 0), 81.481),
        ((0, 1, 0), 144.553),
        ((0, 0, 1), 40.966),
    ],
)
def test_luma_is_that_of_rgb2ycbcr(rgb: tuple[float, float, float], y: float) -> None:
    picture = torch.tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1).expand(2, 3, 4, 5)
    got = luma(picture)
    assert got.shape == (2, 1, 4, 5)
    assert torch.allclose(got * 255, torch.tensor(y, dtype=torch.float64))


def test_quantising_rounds_to_the_levels_of_a_file() -> None:
    values = torch.tensor([-0.2, 0.0, 0.4 / 255, 0.6 / 255, 100.2 / 255, 1.0, 1.7])
    got = quantise(values)
    assert got.dtype == torch.float64
    assert (got * 255).tolist() == pytest.approx([0, 0, 0, 1, 100, 255, 255])


def test_cropping_takes_the_border_off_each_side() -> None:
    picture = torch.arange(5 * 7).view(1, 1, 5, 7)
    assert crop_border(picture, 0) is picture
    assert crop_border(picture, 2)[0, 0].tolist() == [[16, 17, 18]]


@pytest.mark.parametrize("border", [3, 4, 100])
def test_cropping_everything_is_refused(border: int) -> None:
    with pytest.raises(ValueError, match=f"7x6 has no pixels left without a border of {border}"):
        crop_border(torch.zeros(1, 1, 6, 7), border)
