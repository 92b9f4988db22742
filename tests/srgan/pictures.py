"""Pictures made up for tests: smooth, coloured, and different from each other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from core.picture_files import Pixels
from srgan.pairs import PictureFile
from srgan.resize import imresize_uint8


def picture(height: int, width: int, seed: int = 0) -> Pixels:
    """A few waves in each channel, uint8 ``[height, width, 3]``."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = []
    for _channel in range(3):
        waves = sum(
            random.uniform(0.5, 1)
            * np.sin(random.uniform(0.05, 0.6) * x + random.uniform(-0.6, 0.6) * y + phase)
            for phase in random.uniform(0, 6, size=4)
        )
        planes.append(127.5 + 31 * waves)
    return np.stack(planes, axis=-1).clip(0, 255).round().astype(np.uint8)


def save_pictures(folder: Path, count: int, height: int = 72, width: int = 80) -> list[Path]:
    """Write that many pictures as PNG; return their paths in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index:04}.png" for index in range(count)]
    for index, path in enumerate(paths):
        Image.fromarray(picture(height, width, seed=index)).save(path)
    return paths


def files(paths: Sequence[Path]) -> list[PictureFile]:
    """The same pictures, without twins of their own."""
    return [PictureFile(path) for path in paths]


def save_pairs(folder: Path, count: int, scale: int = 2, height: int = 48, width: int = 40) -> Path:
    """Write pictures to ``HR`` and twins to ``LRx2`` (by scale), darker than any reduction's."""
    for path in save_pictures(folder / "HR", count, height, width):
        twin = folder / f"LRx{scale}" / path.name
        twin.parent.mkdir(exist_ok=True)
        with Image.open(path) as opened:
            small = imresize_uint8(planes(np.asarray(opened)), 1 / scale)
        Image.fromarray((small // 2).permute(1, 2, 0).numpy()).save(twin)
    return folder


def planes(pixels: Pixels) -> Tensor:
    """uint8 ``[H, W, 3]`` as ``[3, H, W]``."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
