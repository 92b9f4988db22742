"""Draw pictures from a trained generator: a grid, files, nearest neighbours, interpolations.

Sampling is ancestral: noise in, one pass through the generator, independent pictures out. No
Markov chain has to mix first (Goodfellow et al. 2014, section 5 and table 2).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from torch import Tensor

from core.command import UserError, run_command
from core.picture_files import SUFFIXES
from core.pictures import save_grid
from core.sampler import Sampler, load_sampler
from core.training_pictures import training_pictures
from core.vanilla_config import VanillaConfig

__all__ = ["SampleConfig", "interpolate", "nearest", "sample"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleConfig:
    """What is drawn.

    Attributes:
        generator: a generator file, or the folder of a run.
        out: a .png for a grid, or a folder for a file each.
        count: pictures; with --show interpolation, rows.
        show: samples; nearest, with the nearest training picture to the right of each sample; or
            interpolation, each row on a straight line between two z.
        columns: pictures in a row of the grid.
        enlarge: each pixel becomes a square of this side.
        data_dir: where data sets lie; by default where they lay in training.
        seed: of the noise.
    """

    generator: tyro.conf.Positional[Path]
    out: Path = Path("samples.png")
    count: int = 100
    show: Literal["samples", "nearest", "interpolation"] = "samples"
    columns: int = 10
    enlarge: int = 1
    data_dir: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("count", "columns", "enlarge"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, not {getattr(self, name)}")
        if self.show == "interpolation" and self.columns < 2:
            raise UserError("--columns must be at least 2 to interpolate")
        suffix = self.out.suffix.lower()
        if suffix in SUFFIXES and suffix != ".png":
            raise UserError(f"--out must end in .png, or be a folder, not {self.out.name!r}")


def nearest(samples: Tensor, pictures: Tensor, block: int = 200) -> Tensor:
    """Return for each sample the picture at the least Euclidean distance, pixel by pixel.

    Args:
        samples: ``[N, C, H, W]``.
        pictures: ``[M, C, H, W]``.
        block: samples whose distances are held in memory at a time.
    """
    flat = pictures.flatten(1)
    places = [torch.cdist(s, flat).argmin(dim=1) for s in samples.flatten(1).split(block)]
    return pictures[torch.cat(places)]


def interpolate(sampler: Sampler, rows: int, columns: int, seed: int = 0) -> Tensor:
    """Return pictures on straight lines between pairs of z, ``[rows * columns, C, H, W]``.

    A row keeps its class where the generator knows classes.
    """
    start, end = sampler.noise(2 * rows, seed).chunk(2)
    shares = torch.linspace(0, 1, columns)
    noise = torch.stack([torch.lerp(start, end, float(share)) for share in shares], dim=1)
    classes = torch.arange(rows) % max(sampler.spec.classes, 1)
    return sampler.pictures(noise.flatten(0, 1), classes.repeat_interleave(columns))


def _drawn(config: SampleConfig) -> tuple[Tensor, int]:
    """Return the pictures, and how many go in a row."""
    sampler = load_sampler(config.generator)
    if config.show == "interpolation":
        return interpolate(sampler, config.count, config.columns, config.seed), config.columns
    samples = sampler.sample(config.count, config.seed)
    if config.show == "samples":
        return samples, config.columns
    trained = VanillaConfig.of(sampler.training["config"])
    data = training_pictures(trained, config.data_dir).train.pictures
    pairs = torch.stack([samples, nearest(samples, data)], dim=1)
    return pairs.flatten(0, 1), 2 * config.columns


def sample(config: SampleConfig) -> bool:
    """Draw pictures and write them.

    Raises:
        UserError: if the generator, or data to compare with, cannot be had.
    """
    pictures, columns = _drawn(config)
    if config.out.suffix.lower() == ".png":
        save_grid(pictures, config.out, columns, config.enlarge)
    else:
        for number, picture in enumerate(pictures):
            path = config.out / f"{number:05}.png"
            save_grid(picture[None], path, 1, config.enlarge, border=0)
    logger.info("%d pictures in %s", len(pictures), config.out)
    return True


if __name__ == "__main__":
    run_command(SampleConfig, sample)
