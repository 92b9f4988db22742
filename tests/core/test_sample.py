"""``python -m core.sample``: grids, files, nearest training pictures, interpolations."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from core.command import UserError
from core.datasets import load_pictures
from core.players import PlayerSpec
from core.recipes import RECIPES
from core.sample import SampleConfig, interpolate, nearest, sample
from core.sampler import Sampler, save_sampler

SPEC = PlayerSpec("dense", (1, 8, 8), 16, 16, latent_size=4)


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = {**vars(RECIPES["digits"]), "data_dir": "data"}
    weights = SPEC.build_generator().state_dict()
    save_sampler(tmp_path / "generator.safetensors", SPEC, weights, {"config": config})
    return tmp_path


def size(path: Path) -> Sequence[int]:
    with Image.open(path) as picture:
        return picture.size


def test_a_grid_holds_as_many_pictures_as_asked_for(generator: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    assert sample(SampleConfig(generator, out, count=6, columns=3, enlarge=2))
    assert size(out) == (2 * (3 * 9 + 1), 2 * (2 * 9 + 1))


def test_a_folder_gets_a_file_for_each_picture(generator: Path, tmp_path: Path) -> None:
    sample(SampleConfig(generator, tmp_path / "each", count=3))
    files = sorted((tmp_path / "each").iterdir())
    assert [file.name for file in files] == ["00000.png", "00001.png", "00002.png"]
    assert {tuple(size(file)) for file in files} == {(8, 8)}


def test_the_nearest_picture_is_the_one_at_the_least_distance() -> None:
    pictures = torch.rand(30, 2, 3, 3)
    noisy = pictures[[7, 3, 3]] + 0.01 * torch.randn(3, 2, 3, 3)
    assert torch.equal(nearest(noisy, pictures, block=2), pictures[[7, 3, 3]])


def test_beside_each_sample_lies_its_nearest_training_picture(
    generator: Path, tmp_path: Path
) -> None:
    out = tmp_path / "nearest.png"
    sample(SampleConfig(generator, out, count=2, columns=1, show="nearest"))
    with Image.open(out) as picture:
        levels = torch.tensor(list(picture.convert("L").tobytes())).reshape(19, 19)
    train = load_pictures("digits", tmp_path).train.pictures
    wanted = {tuple((p * 255).round().int().flatten().tolist()) for p in train}
    for row in (1, 10):
        assert tuple(levels[row : row + 8, 10:18].flatten().tolist()) in wanted


def test_interpolation_goes_straight_from_one_z_to_another() -> None:
    sampler = Sampler(SPEC.build_generator(), SPEC, {})
    got = interpolate(sampler, rows=2, columns=5, seed=1)
    assert got.shape == (10, 1, 8, 8)
    ends = sampler.pictures(sampler.noise(4, seed=1))
    assert torch.allclose(got[[0, 5]], ends[:2], atol=1e-6)
    assert torch.allclose(got[[4, 9]], ends[2:], atol=1e-6)
    halfway = sampler.noise(4, seed=1)[0::2].mean(dim=0, keepdim=True)
    assert torch.allclose(got[2:3], sampler.pictures(halfway), atol=1e-6)


def test_a_row_keeps_its_class() -> None:
    spec = replace(SPEC, classes=3)
    sampler = Sampler(spec.build_generator(), spec, {})
    got = interpolate(sampler, rows=2, columns=3)
    noise = sampler.noise(4)[1:2]
    assert torch.allclose(got[3:4], sampler.pictures(noise, torch.tensor([1])), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"count": 0}, "--count must be at least 1, not 0"),
        ({"columns": 1, "show": "interpolation"}, "at least 2 to interpolate"),
        ({"out": Path("grid.jpg")}, "--out must end in .png, or be a folder, not 'grid.jpg'"),
    ],
)
def test_a_wrong_setting_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        SampleConfig(Path("x"), **change)  # type: ignore[arg-type]
