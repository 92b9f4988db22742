"""Render what the network will see: degraded patches beside the ones they were made from."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from core.command import UserError, run_command
from core.files import check_place
from core.pictures import save_grid
from srgan.cache import open_cache
from srgan.degradations import DEGRADATIONS, DegradationName, Draw
from srgan.pairs import low_resolution
from srgan.patches import PatchSampler
from srgan.sources import training_pictures

__all__ = ["SheetConfig", "contact_sheet"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SheetConfig:
    """What to render.

    Attributes:
        data: div2k, flickr2k and folders of pictures, separated by commas.
        data_dir: where named data sets lie.
        cache_dir: where decoded pictures are kept.
        degradation: bicubic (pictures that come in pairs stay as they are), camera or real.
        scale: output side over input side.
        patch: side of a low-resolution patch.
        patches: how many.
        out: a .png file.
        seed: others show other patches.
    """

    data: str = "div2k"
    data_dir: Path = Path("data")
    cache_dir: Path = Path("data/cache")
    degradation: DegradationName = "real"
    scale: int = 4
    patch: int = 32
    patches: int = 24
    out: Path = Path("contact_sheet.png")
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("patch", 8), ("patches", 1), ("scale", 2), ("seed", 0)):
            if getattr(self, name) < least:
                raise UserError(f"--{name} must be at least {least}, not {getattr(self, name)}")
        if self.out.suffix != ".png":
            raise UserError(f"--out must end in .png, not {self.out}")


def contact_sheet(config: SheetConfig) -> bool:
    """Write pairs of patches, the degraded one enlarged by repetition: six pairs in a row.

    Raises:
        UserError: if the data cannot be had.
        OSError: if ``config.out`` cannot be written.
    """
    check_place(config.out)
    pictures = training_pictures(config.data, config.data_dir, config.scale)
    low_resolution(pictures, config.degradation)
    pairs = open_cache(config.cache_dir, pictures, config.scale, smallest_side=config.patch)
    # One batch each: what a stage draws once for a batch differs from patch to patch here.
    sampler = PatchSampler(pairs, 1, config.patch, config.seed)
    shown = []
    for index in range(config.patches):
        hr, lr = sampler.batch(index)
        if config.degradation != "bicubic":
            draw = Draw((config.seed, index), hr.device)
            lr = DEGRADATIONS[config.degradation](hr, config.scale, draw)
        assert lr is not None
        shown += [F.interpolate(lr, hr.shape[-2:], mode="nearest"), hr]
    save_grid(torch.cat(shown), config.out, columns=12)
    logger.info("wrote %s: each degraded patch, and right of it what it was made from", config.out)
    return True


def main() -> None:
    """Run ``python -m srgan.contact_sheet``."""
    run_command(SheetConfig, contact_sheet)


if __name__ == "__main__":
    main()
