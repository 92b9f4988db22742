"""Beside the middles of photographs there are even, dark and drawn crops."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.picture_files import PictureError
from tests.srgan.pictures import save_pictures
from tools.crops import awkward, middle


def test_the_middle_is_cut_to_multiples_of_the_scale(tmp_path: Path) -> None:
    (path,) = save_pictures(tmp_path, 1, 70, 501)
    crop = middle(path, 4)
    assert (crop.name, crop.is_photograph) == (path.name, True)
    assert crop.hr.shape == (1, 3, 68, 384)
    assert crop.lr.shape == (1, 3, 17, 96)
    pixels = np.array(Image.open(path))[1:69, 58:442]
    assert torch.equal(crop.hr[0], torch.from_numpy(pixels).permute(2, 0, 1) / 255)


def test_every_other_picture_is_made_awkward_in_turn(tmp_path: Path) -> None:
    paths = save_pictures(tmp_path, 7, 200, 200)
    crops = awkward(paths, 2)
    kinds = ["even", "dark", "drawn", "even"]
    assert [crop.name for crop in crops] == [
        f"{path.name}, {kind}" for path, kind in zip(paths[::2], kinds, strict=True)
    ]
    assert not any(crop.is_photograph for crop in crops)
    for crop in crops:
        assert [2 * side for side in crop.lr.shape[2:]] == [*crop.hr.shape[2:]]
    _, dark, drawn, _ = crops
    assert dark.hr.max() < 1 / 5
    colours = drawn.hr[0].flatten(1).unique(dim=1)
    assert 2 <= colours.shape[1] <= 8
    assert (float(drawn.hr.min()), float(drawn.hr.max())) == (0, 1)


def test_the_most_even_window_is_found(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    pixels[96:192, 192:288] = (10, 80, 200)
    path = tmp_path / "sky.png"
    Image.fromarray(pixels).save(path)
    (crop,) = awkward([path], 2)
    assert crop.hr.shape == (1, 3, 96, 96)
    assert crop.hr.flatten(2).std(dim=2).max() == 0


def test_a_picture_of_which_nothing_is_left_to_judge_by_is_named(tmp_path: Path) -> None:
    (path,) = save_pictures(tmp_path, 1, 11, 40)
    with pytest.raises(PictureError, match=r"0000\.png must have at least 12 pixels a side"):
        middle(path, 4)
