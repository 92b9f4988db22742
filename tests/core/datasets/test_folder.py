"""Any folder of pictures."""

from pathlib import Path

import pytest
import torch
from PIL import Image

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
    with pytest.raises(DataUnavailableError, match=r"05\.png is not a picture"):
        load_pictures(str(tmp_path), Path("elsewhere"))


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    write(tmp_path, 9)
    with pytest.raises(DataUnavailableError, match="holds 9 pictures; at least 10"):
        load_pictures(str(tmp_path), Path("elsewhere"))
