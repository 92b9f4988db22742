"""Grids of pictures, written as PNG."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

from core.files import appearing

__all__ = ["save_grid"]


def save_grid(
    pictures: Tensor, path: Path, columns: int, enlarge: int = 1, border: int = 1
) -> None:
    """Write pictures side by side, row after row.

    Args:
        pictures: ``[N, 1 or 3, H, W]``; values are clipped to [0, 1].
        path: a ``.png`` file; its folder is made if need be.
        columns: pictures in a row.
        enlarge: each pixel becomes a square of this side.
        border: white pixels around each picture.
    """
    grid = make_grid(pictures.detach().float().cpu(), nrow=columns, padding=border, pad_value=1.0)
    levels = grid.clamp(0, 1).mul(255).round().to(torch.uint8)
    picture = Image.fromarray(levels.permute(1, 2, 0).numpy())
    if enlarge > 1:
        size = (picture.width * enlarge, picture.height * enlarge)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    with appearing(path) as temporary:
        picture.save(temporary, format="PNG")
