"""Any folder of pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.command import UserError
from core.datasets import DataUnavailableError, load_pictures


def write(folder: Path, count: int) -> None:
    (folder / "more").mkdir(parents=True)
    for number in range(count):
        place = folder / "more" if number % 2 else folder
        Image.new("RGB", (20 + number, 12), (number * 10, 0, 255)).save(place / f"{number:02}.png")


def test_pictures_are_cut_square_brought_to_one_size_and_split(tmp_path: Path) -> None:
    write(tmp_path, 20)
    (tmp_path / "notes.txt").write_text("not a picture")
    got = load_pictures(str(tmp_path), Path("elsewhere"), size=8)
    assert [len(part) for part in (got.train, got.validation, got.test)] == [16, 2, 2]
    assert got.shape == (3, 8, 8)
    assert got.classes == 0
    assert torch.equal(got.train.pictures[:, 2], torch.ones(16, 8, 8))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, 10)
    (tmp_path / "05.png").write_bytes(b"no picture")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"05\.png cannot be read as a picture"):
        load_pictures(str(tmp_path), Path("elsewhere"))


def test_what_is_hidden_or_no_file_is_no_picture(tmp_path: Path) -> None:
    write(tmp_path, 10)
    (tmp_path / "._05.png").write_bytes(b"a preview")
    (tmp_path / "album.png").mkdir()
    assert len(load_pictures(str(tmp_path), Path("elsewhere"), size=8).train) == 8


def test_pictures_are_upright_and_of_all_levels(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 3
    for number in range(10):
        grey = np.repeat(np.array([[0, 20_000, 40_000, 65_535]], np.uint16), 4, axis=0)
        Image.fromarray(grey).save(tmp_path / f"{number}.png", exif=turned)
    got = load_pictures(str(tmp_path), Path("elsewhere"), size=4).train.pictures
    levels = torch.tensor([255, 156, 78, 0]) / 255
    torch.testing.assert_close(got, levels.expand(8, 3, 4, 4))


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    write(tmp_path, 9)
    with pytest.raises(DataUnavailableError, match="holds 9 pictures; at least 10"):
        load_pictures(str(tmp_path), Path("elsewhere"))
