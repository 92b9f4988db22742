"""Grids of pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.pictures import save_grid


def levels(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.array(picture)


@pytest.mark.parametrize(
    ("count", "columns", "rows", "width"), [(6, 3, 2, 3), (7, 3, 3, 3), (2, 5, 1, 2)]
)
@pytest.mark.parametrize("enlarge", [1, 3])
def test_pictures_lie_in_rows_with_a_white_pixel_between(
    count: int, columns: int, rows: int, width: int, enlarge: int, tmp_path: Path
) -> None:
    save_grid(torch.zeros(count, 3, 4, 6), tmp_path / "grid.png", columns, enlarge)
    got = levels(tmp_path / "grid.png")
    assert got.shape == ((rows * 5 + 1) * enlarge, (width * 7 + 1) * enlarge, 3)
    assert (got[:enlarge] == 255).all()
    assert (got[enlarge : 5 * enlarge, enlarge : 7 * enlarge] == 0).all()


def test_values_are_rounded_and_clipped_to_0_to_1(tmp_path: Path) -> None:
    values = torch.tensor([-3.0, 0.0, 0.5, 100.4 / 255, 100.6 / 255, 1.0, 7.0])
    save_grid(values.view(1, 1, 1, 7).repeat(2, 1, 1, 1), tmp_path / "grid.png", columns=1)
    assert levels(tmp_path / "grid.png")[1, 1:8, 0].tolist() == [0, 0, 128, 100, 101, 255, 255]


def test_colours_keep_their_order_and_half_precision_is_taken(tmp_path: Path) -> None:
    red = torch.tensor([1.0, 0.0, 0.0], dtype=torch.bfloat16).view(1, 3, 1, 1)
    save_grid(red.requires_grad_(), tmp_path / "grid.png", columns=1)
    assert levels(tmp_path / "grid.png").tolist() == [[[255, 0, 0]]]  # one picture has no frame


def test_the_folder_is_made_and_nothing_else_is_left_in_it(tmp_path: Path) -> None:
    for value in (0.0, 1.0):
        save_grid(torch.full((1, 1, 2, 2), value), tmp_path / "a" / "b" / "grid.png", columns=1)
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["grid.png"]
    assert (levels(tmp_path / "a" / "b" / "grid.png") == 255).all()
