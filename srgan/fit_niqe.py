"""Fit NIQE's model of clean photographs, which says what natural blocks of pixels look like."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.command import UserError, run_command
from srgan.cache import read_rgb
from srgan.niqe import PristineModel, block_features
from srgan.patches import as_tensor
from srgan.resize import imresize_uint8
from srgan.sources import training_pictures

__all__ = ["FitConfig", "fit", "sharp_blocks"]

logger = logging.getLogger(__name__)

_SHARPNESS = 0.75  # of a picture's sharpest block, as Mittal et al. 2013 choose
_FEWEST = 1000  # blocks, for a covariance of 36 features


@dataclass(frozen=True)
class FitConfig:
    """What to fit on.

    Attributes:
        data: div2k, or folders of clean photographs separated by commas.
        data_dir: where named data sets lie.
        reduce: photographs are reduced by this first, which removes what JPEG did to them.
        out: an .npz file, for --niqe-model of srgan.evaluate.
    """

    data: str
    data_dir: Path = Path("data")
    reduce: int = 2
    out: Path = Path("niqe.npz")

    def __post_init__(self) -> None:
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


def fit(config: FitConfig) -> bool:
    """Fit and write the model.

    Raises:
        UserError: if the pictures cannot be had, or have too few sharp blocks.
    """
    found = []
    for path in training_pictures(config.data, config.data_dir):
        try:
            picture = torch.from_numpy(read_rgb(path)).permute(2, 0, 1)
        except ValueError as error:
            raise UserError(str(error)) from error
        reduced = imresize_uint8(picture, 1 / config.reduce).permute(1, 2, 0).numpy()
        found.append(sharp_blocks(as_tensor([reduced])))
    blocks = torch.cat(found)
    if len(blocks) < _FEWEST:
        raise UserError(
            f"--data must have at least {_FEWEST} sharp blocks of 96x96 pixels, not {len(blocks)}"
        )
    model = PristineModel(blocks.mean(dim=0), torch.cov(blocks.T))
    model.save(config.out)
    logger.info("wrote %s: %d blocks of %d photographs", config.out, len(blocks), len(found))
    return True


def main() -> None:
    """Run ``python -m srgan.fit_niqe``."""
    run_command(FitConfig, fit)


if __name__ == "__main__":
    main()
