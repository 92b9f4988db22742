"""NIQE: what another implementation computes, what damage does, where there is no figure."""

import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from sklearn.datasets import load_sample_image

from core.command import UserError
from core.picture_files import read_rgb
from srgan.niqe import (
    OWN_MODEL,
    PristineModel,
    block_features,
    fit_asymmetric_gaussian,
    niqe,
)
from srgan.patches import as_tensor
from tests.conftest import DataFolder


# BasicSR 1.4.2's basicsr.metrics.niqe.niqe, given this project's model and float64 luma.
@pytest.mark.parametrize(
    ("picture", "known"), [("img_001", 4.9423), ("img_003", 2.0525), ("img_014", 3.0200)]
)
def test_another_implementation_agrees(picture: str, known: float, data_folder: DataFolder) -> None:
    pixels = as_tensor([read_rgb(data_folder(f"Set14/HR/{picture}.png"))])
    assert niqe(pixels, PristineModel.load()) == pytest.approx(known, abs=5e-4)


@pytest.mark.parametrize("shape", [1, 2])
def test_the_fit_finds_what_the_samples_were_drawn_from(shape: int) -> None:
    random = np.random.default_rng(0)
    # |x| ** shape of such a variable follows a gamma distribution.
    sizes = random.gamma(1 / shape, size=400_000) ** (1 / shape)
    left, right = 0.5, 1.5  # a side is met as often as it is wide
    signed = np.where(
        random.random(len(sizes)) < left / (left + right), -left * sizes, right * sizes
    )
    got = fit_asymmetric_gaussian(torch.from_numpy(signed)[None])
    assert [float(each) for each in got] == pytest.approx([shape, left, right], rel=0.02)


def blurred(photograph: Image.Image, strength: float) -> Image.Image:
    return photograph.filter(ImageFilter.GaussianBlur(strength))


def noisy(photograph: Image.Image, strength: float) -> Image.Image:
    levels = np.asarray(photograph) / 255
    levels = levels + strength * np.random.default_rng(0).standard_normal(levels.shape)
    return Image.fromarray((255 * levels.clip(0, 1)).round().astype(np.uint8))


def compressed(photograph: Image.Image, strength: float) -> Image.Image:
    file = io.BytesIO()
    photograph.save(file, "JPEG", quality=int(100 - strength))
    return Image.open(file).convert("RGB")


@pytest.mark.parametrize(
    ("damage", "strengths"),
    [(blurred, (2, 4)), (noisy, (0.02, 0.05, 0.1)), (compressed, (88, 92, 95))],
)
def test_the_more_a_photograph_is_damaged_the_less_natural_it_is(
    damage: Callable[[Image.Image, float], Image.Image], strengths: tuple[float, ...]
) -> None:
    photograph = Image.fromarray(load_sample_image("china.jpg"))
    series = [photograph, *(damage(photograph, strength) for strength in strengths)]
    figures = [niqe(as_tensor([np.array(each)]), PristineModel.load()) for each in series]
    assert figures == sorted(figures)
    assert figures[-1] > figures[0] + 2


def noise(height: int, width: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("height", "width", "blocks"), [(192, 96, 2), (200, 300, 6), (95, 300, 0), (1, 1, 0)]
)
def test_features_are_those_of_whole_blocks(height: int, width: int, blocks: int) -> None:
    features, sharpness = block_features(noise(height, width))
    assert features.shape == (blocks, 36)
    assert sharpness.shape == (blocks,)
    cropped, _ = block_features(noise(height, width)[..., : height // 96 * 96, : width // 96 * 96])
    assert torch.equal(features, cropped)


def test_a_picture_without_two_structured_blocks_has_no_figure() -> None:
    model = PristineModel.load()
    assert math.isnan(niqe(noise(96, 96), model))
    assert math.isnan(niqe(torch.full((1, 3, 300, 300), 0.5), model))
    assert math.isfinite(niqe(noise(96, 192), model))
    half_flat = noise(96, 288)
    half_flat[..., 180:] = 0.5
    assert math.isfinite(niqe(half_flat, model))


def test_the_pristine_model_itself_is_at_no_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    model = PristineModel.load()
    typical = torch.distributions.MultivariateNormal(model.mean, model.covariance)
    torch.manual_seed(0)
    features = typical.sample((20_000,))
    monkeypatch.setattr("srgan.niqe.block_features", lambda _: (features, None))
    assert niqe(noise(1, 1), model) < 0.2


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    own = PristineModel.load()
    own.save(tmp_path / "model.npz")
    again = PristineModel.load(tmp_path / "model.npz")
    assert torch.equal(own.mean, again.mean)
    assert torch.equal(own.covariance, again.covariance)
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]
    assert (again.covariance - again.covariance.T).abs().max() < 1e-12
    assert OWN_MODEL.stat().st_size < 20_000


@pytest.mark.parametrize("broken", ["missing", "text", "other names", "other sizes"])
def test_what_is_no_pristine_model_is_refused(broken: str, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    if broken == "text":
        path.write_text("no model")
    if broken == "other names":
        np.savez(path, mean=np.zeros(36))
    if broken == "other sizes":
        np.savez(path, mu_pris_param=np.zeros(35), cov_pris_param=np.zeros((35, 35)))
    with pytest.raises(UserError, match=r"model\.npz"):
        PristineModel.load(path)
