"""Any folder of pictures as a collection, cut square and brought to one size."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from core.datasets.collection import DataUnavailableError, Part, Pictures
from core.picture_files import pictures_below, read_rgb

__all__ = ["load_folder"]


def _square(path: Path, size: int) -> torch.Tensor:
    picture = Image.fromarray(read_rgb(path))
    square = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def load_folder(folder: Path, size: int) -> Pictures:
    """Read a folder and its subfolders; every tenth picture is for validation, another for tests.

    Args:
        folder: where the pictures are.
        size: side that their central squares are resized to.

    Raises:
        DataUnavailableError: if there are fewer than ten pictures.
        PictureError: if one cannot be read.
    """
    paths = pictures_below(folder)
    if len(paths) < 10:
        raise DataUnavailableError(f"{folder} holds {len(paths)} pictures; at least 10 are needed")
    pictures = torch.stack([_square(path, size) for path in paths]).float() / 255
    place = torch.arange(len(paths)) % 10
    parts = [Part(pictures[chosen]) for chosen in (place > 1, place == 1, place == 0)]
    return Pictures(*parts)
