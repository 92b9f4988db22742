"""Fit NIQE's model of clean photographs, which says what natural blocks of pixels look like."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from PIL import Image
from torch import Tensor

from core.command import UserError, run_command
from core.picture_files import read_rgb
from srgan.niqe import OWN_MODEL, PristineModel, block_features
from srgan.patches import as_tensor
from srgan.sources import list_pictures

__all__ = ["FitConfig", "fit", "sharp_blocks"]

logger = logging.getLogger(__name__)

_SHARPNESS = 0.75  # of a picture's sharpest block, as Mittal et al. 2013 choose
_FEWEST = 1000  # blocks, for a covariance of 36 features


@dataclass(frozen=True)
class FitConfig:
    """What to fit on.

    Attributes:
        photographs: folders of clean ones.
        reduce: they are reduced by this first, which removes what JPEG did to them.
        out: an .npz file, for --niqe-model of srgan.evaluate; by default this project's own.
    """

    photographs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    reduce: int = 2
    out: Path = OWN_MODEL

    def __post_init__(self) -> None:
        if not self.photographs:
            raise UserError("name at least one folder of photographs")
        if self.reduce < 1:
            raise UserError(f"--reduce must be at least 1, not {self.reduce}")
        if self.out.suffix != ".npz":
            raise UserError(f"--out must end in .npz, not {self.out}")


def sharp_blocks(picture: Tensor) -> Tensor:
    """Return the features ``[B, 36]`` of a picture's sharp blocks; blurred ones are not typical.

    Args:
        picture: RGB ``[1, 3, H, W]`` in [0, 1].
    """
    features, sharpness = block_features(picture)
    if len(features) == 0:
        return features
    kept = features[sharpness > _SHARPNESS * sharpness.max()]
    return kept[kept.isfinite().all(dim=1)]


def _reduced(path: Path, by: int) -> Tensor:
    """Read a photograph as RGB ``[1, 3, H, W]`` in [0, 1], smaller by ``by``."""
    whole = Image.fromarray(read_rgb(path))
    size = (max(whole.width // by, 1), max(whole.height // by, 1))
    return as_tensor([np.array(whole.resize(size, Image.Resampling.BICUBIC))])


def fit(config: FitConfig) -> bool:
    """Fit and write the model.

    Raises:
        UserError: if a picture cannot be read, or all have too few sharp blocks.
    """
    paths = [path for folder in config.photographs for path in list_pictures(folder)]
    blocks = torch.cat([sharp_blocks(_reduced(path, config.reduce)) for path in paths])
    if len(blocks) < _FEWEST:
        raise UserError(
            f"the photographs must have at least {_FEWEST} sharp blocks of 96x96 pixels, "
            f"not {len(blocks)}"
        )
    PristineModel(blocks.mean(dim=0), torch.cov(blocks.T)).save(config.out)
    logger.info("wrote %s: %d blocks of %d photographs", config.out, len(blocks), len(paths))
    return True


def main() -> None:
    """Run ``python -m srgan.fit_niqe``."""
    run_command(FitConfig, fit)


if __name__ == "__main__":
    main()
