"""Fitting the pristine model: sharp blocks only, and enough of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.command import UserError
from srgan import fit_niqe
from srgan.fit_niqe import FitConfig, fit, sharp_blocks
from srgan.niqe import PristineModel, block_features


def test_blurred_and_flat_blocks_are_left_out() -> None:
    picture = torch.rand(1, 3, 96, 4 * 96, generator=torch.Generator().manual_seed(0))
    picture[..., 96:192] *= 0.5
    picture[..., 192:] = 0.5
    features, sharpness = block_features(picture)
    assert sharpness[0] > sharpness[1] > 1 > sharpness[3]
    assert torch.equal(sharp_blocks(picture), features[:1])


def test_the_model_is_the_gaussian_of_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    photos, found = tmp_path / "photos", []
    photos.mkdir()
    for index in range(3):
        pixels = random.integers(0, 256, (96, 192, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photos / f"{index}.png")
        found.append(sharp_blocks(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255))
    blocks = torch.cat(found)
    out = tmp_path / "model.npz"
    config = FitConfig((photos,), reduce=1, out=out)
    with pytest.raises(UserError, match="at least 1000 sharp blocks of 96x96 pixels, not 6"):
        fit(config)
    assert not out.exists()
    (photos / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"broken\.png cannot be read"):
        fit(config)
    (photos / "broken.png").unlink()
    monkeypatch.setattr(fit_niqe, "_FEWEST", 6)
    assert fit(config)
    model = PristineModel.load(out)
    assert torch.allclose(model.mean, blocks.mean(dim=0))
    assert torch.allclose(model.covariance, torch.cov(blocks.T))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"reduce": 0}, "--reduce must be at least 1"),
        ({"out": Path("x.pt")}, "must end in .npz"),
        ({"photographs": ()}, "at least one folder"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_option(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        FitConfig(**{"photographs": (Path("photos"),), **settings})  # type: ignore[arg-type]
