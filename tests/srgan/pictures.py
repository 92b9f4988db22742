"""Pictures made up for tests: smooth, coloured, and different from each other."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from srgan.cache import Pixels


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


def planes(pixels: Pixels) -> Tensor:
    """uint8 ``[H, W, 3]`` as ``[3, H, W]``."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
