"""Ask a teacher once: pairs of low-resolution crops and what a large network makes of them.

The finest detail of a photograph cannot be known from its low-resolution twin; a distance to it
mostly measures that. A teacher's picture holds what can be known and nothing else, so a small
network learns faster from it (Hinton et al. 2015; for super-resolution, He et al. 2020). Teachers
worth learning from are slow: here each crop is asked for once, instead of at every step.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from PIL import Image
from tqdm import tqdm

from core.command import UserError, run_command
from core.files import appearing
from core.precision import Precision, autocast, pick_precision
from srgan.cache import Pixels, read_pair
from srgan.pairs import PictureFile
from srgan.patches import as_tensor
from srgan.sources import hold_out, training_pictures
from srgan.upscalers import Upscaler, open_upscaler

__all__ = ["DistilConfig", "distil"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DistilConfig:
    """Whom to ask about what.

    Attributes:
        teacher: an upscaler, as for srgan.evaluate.
        data: div2k, flickr2k and folders of pictures, separated by commas.
        out: gets HR, the teacher's pictures, and LRx4 (by scale), their low-resolution twins.
        data_dir: where named data sets lie.
        holdout: pictures not asked about: those that srgan.train keeps from training.
        crops: taken from each picture.
        side: of a low-resolution crop; smaller pictures are taken whole.
        seed: others take other crops.
        device: where a checkpoint's network runs.
    """

    teacher: Annotated[str, tyro.conf.Positional]
    data: str
    out: Path
    data_dir: Path = Path("data")
    holdout: int = 8
    crops: int = 1
    side: int = 64
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("holdout", 0), ("crops", 1), ("side", 16), ("seed", 0)):
            if getattr(self, name) < least:
                raise UserError(f"--{name} must be at least {least}, not {getattr(self, name)}")


def _crops(config: DistilConfig, file: PictureFile, scale: int) -> Iterator[tuple[str, Pixels]]:
    """Yield a name and uint8 ``[H, W, 3]``, the same ones each time."""
    lr = read_pair(file, scale)[1]
    name = file.hr.with_suffix("").as_posix().strip("./").replace("/", "-")
    draw = np.random.default_rng([config.seed, *name.encode()])
    for _ in range(config.crops):
        top, left = (int(draw.integers(max(0, side - config.side) + 1)) for side in lr.shape[:2])
        yield f"{name}-{top}-{left}", lr[top : top + config.side, left : left + config.side]


def _taught(teacher: Upscaler, lr: Pixels, device: torch.device, precision: Precision) -> Pixels:
    batch = as_tensor([lr]).to(device)
    with torch.inference_mode(), autocast(precision, device):
        hr = teacher.run(batch).float().clamp(0, 1).mul(255).round()
    pixels: Pixels = hr[0].permute(1, 2, 0).to("cpu", torch.uint8).numpy()
    return pixels


def distil(config: DistilConfig) -> bool:
    """Write the pairs, in an order in which every beginning is a fair sample.

    What is there already stays: a second call goes on where the first one was stopped.

    Raises:
        UserError: if the teacher or the data cannot be had.
    """
    device = torch.device(config.device)
    precision = pick_precision("auto", device)
    teacher = open_upscaler(config.teacher, 4, device)
    scale = teacher.scale
    pictures, _ = hold_out(training_pictures(config.data, config.data_dir, scale), config.holdout)
    order = np.random.default_rng(config.seed).permutation(len(pictures))
    for index in tqdm(order, desc="asking", disable=None):
        try:
            crops = list(_crops(config, pictures[index], scale))
        except ValueError as error:
            logger.warning("left out: %s", error)
            continue
        for name, lr in crops:
            small, large = (config.out / f / f"{name}.png" for f in (f"LRx{scale}", "HR"))
            if small.exists() and large.exists():
                continue
            for path, pixels in ((large, _taught(teacher, lr, device, precision)), (small, lr)):
                with appearing(path) as file:
                    Image.fromarray(pixels).save(file)
    logger.info("train on them with --data %s", config.out)
    return True


def main() -> None:
    """Run ``python -m srgan.distil``."""
    run_command(DistilConfig, distil)


if __name__ == "__main__":
    main()
