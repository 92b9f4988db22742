"""Any folder of pictures as a collection, cut square and brought to one size."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from core.datasets.collection import DataUnavailableError, Part, Pictures

__all__ = ["load_folder"]

_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def _read(path: Path, size: int) -> torch.Tensor:
    try:
        with Image.open(path) as picture:
            square = ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    except (OSError, UnidentifiedImageError) as error:
        raise DataUnavailableError(f"{path} is not a picture that can be read: {error}") from error
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def load_folder(folder: Path, size: int) -> Pictures:
    """Read a folder and its subfolders; every tenth picture is for validation, another for tests.

    Args:
        folder: where the pictures are.
        size: side that their central squares are resized to.

    Raises:
        DataUnavailableError: if there are fewer than ten pictures, or one cannot be read.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if len(paths) < 10:
        raise DataUnavailableError(f"{folder} holds {len(paths)} pictures; at least 10 are needed")
    pictures = torch.stack([_read(path, size) for path in paths]).float() / 255
    place = torch.arange(len(paths)) % 10
    parts = [Part(pictures[chosen]) for chosen in (place > 1, place == 1, place == 0)]
    return Pictures(*parts)
