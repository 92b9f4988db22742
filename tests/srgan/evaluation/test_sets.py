"""Sets of pictures: published inputs as they are, all others reduced as MATLAB does it."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from core.picture_files import read_rgb
from srgan.evaluation.sets import distinct, inputs, pairs
from srgan.resize import imresize_uint8
from tests.srgan.pictures import picture, planes, save_pairs, save_pictures


def test_a_plain_folder_is_reduced_with_todays_bicubic(tmp_path: Path) -> None:
    paths = save_pictures(tmp_path, 2, 50, 62)
    for path, pair in zip(paths, pairs(tmp_path, 4), strict=True):
        whole = planes(read_rgb(path))[:, :48, :60]
        assert pair.name == path.name
        assert torch.equal(pair.hr[0], whole.float() / 255)
        assert torch.equal(pair.lr[0], imresize_uint8(whole, 0.25).float() / 255)


def test_published_inputs_are_taken_as_they_are(tmp_path: Path) -> None:
    save_pictures(tmp_path / "HR", 1, 50, 62)
    (tmp_path / "LRx4").mkdir()
    Image.fromarray(picture(12, 15, seed=77)).save(tmp_path / "LRx4" / "0000.png")
    (pair,) = pairs(tmp_path, 4)
    assert pair.hr.shape == (1, 3, 48, 60)
    assert torch.equal(pair.lr[0], planes(picture(12, 15, seed=77)).float() / 255)
    (reduced,) = pairs(tmp_path, 2)  # none are published at this scale
    assert reduced.lr.shape == (1, 3, 25, 31)


def test_inputs_can_be_degraded_the_same_way_each_time_published_ones_or_not(
    tmp_path: Path,
) -> None:
    save_pictures(tmp_path, 2, 64, 64)
    first, again = (list(pairs(tmp_path, 4, "real")) for _ in range(2))
    for one, other, clean in zip(first, again, pairs(tmp_path, 4), strict=True):
        assert torch.equal(one.lr, other.lr)
        assert torch.equal(one.hr, clean.hr)
        assert one.lr.shape == clean.lr.shape
        assert (one.lr - clean.lr).abs().mean() > 0.01
    save_pictures(tmp_path / "set" / "HR", 2, 64, 64)
    save_pictures(tmp_path / "set" / "LRx4", 2, 16, 16)
    for one, other in zip(first, pairs(tmp_path / "set", 4, "real"), strict=True):
        assert torch.equal(one.lr, other.lr)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/Set5", "b/Set14"], ["Set5", "Set14"]),
        (["a/Set5", "b/Set5", "/c/Set14/"], ["a/Set5", "b/Set5", "Set14"]),
        (["/x/a/Set", "/y/a/Set", "/a/Set"], ["x/a/Set", "y/a/Set", "a/Set"]),
        (["Set5", "./Set5", "a/../Set5"], ["Set5"] * 3),
    ],
)
def test_a_name_is_no_longer_than_it_takes_to_tell_paths_apart(
    paths: list[str], names: list[str]
) -> None:
    assert distinct([Path(path) for path in paths]) == names


def test_without_originals_the_pictures_are_the_inputs(tmp_path: Path) -> None:
    paths = save_pictures(tmp_path, 2, 11, 13)
    for path, sample in zip(paths, inputs(tmp_path, 4), strict=True):
        assert sample.name == path.name
        assert torch.equal(sample.lr[0], planes(read_rgb(path)).float() / 255)


def test_of_a_set_with_inputs_those_of_the_scale_are_taken(tmp_path: Path) -> None:
    folder = save_pairs(tmp_path, 2, scale=2)
    assert [s.lr.shape[-2:] for s in inputs(folder, 2)] == [(24, 20)] * 2
    assert [s.lr.shape[-2:] for s in inputs(folder, 4)] == [(48, 40)] * 2  # itself, for want of any


def test_pictures_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("HR/a", "HR/b"):
        save_pictures(tmp_path / name, 1)
    names = ["a/0000.png", "b/0000.png"]
    assert [pair.name for pair in pairs(tmp_path, 2)] == names
    assert [sample.name for sample in inputs(tmp_path, 2)] == names


@pytest.mark.parametrize("read", [inputs, pairs])
def test_what_is_no_picture_is_named(read: "object", tmp_path: Path) -> None:
    assert callable(read)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken\.png cannot be read"):
        list(read(tmp_path, 2))
