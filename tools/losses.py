"""What an 8-bit twin loses, crop by crop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srgan.metrics import psnr_y
from srgan.upscalers import open_upscaler
from tools.crops import Crop

__all__ = ["LARGEST_OF_ONE", "CropLoss", "Losses", "scores"]

LARGEST_OF_ONE = 0.3  # dB that a single crop may visibly lose
# PSNR-Y from which on nobody sees a difference: errors of 1.4 of 255 levels.
_UNSEEN = 45.0


@dataclass(frozen=True)
class CropLoss:
    """What became of one crop.

    Attributes:
        crop: its name.
        is_photograph: whether it is as it was taken, and counts in the mean.
        plain: PSNR-Y of the fp32 file, in dB.
        twin: that of the twin.
    """

    crop: str
    is_photograph: bool
    plain: float
    twin: float

    @classmethod
    def of(cls, crop: Crop, plain: float, twin: float) -> "CropLoss":
        """Return the loss of a crop on which the two files score so much."""
        return cls(crop.name, crop.is_photograph, plain, twin)

    @property
    def visible(self) -> float:
        """The loss in dB, of which nothing counts that is above 45 dB."""
        return float(np.minimum(self.plain, _UNSEEN) - np.minimum(self.twin, _UNSEEN))

    def __str__(self) -> str:
        return f"{self.crop}: {self.plain - self.twin:.3f} dB of {self.plain:.2f}"


@dataclass(frozen=True)
class Losses:
    """The losses of all crops."""

    crops: tuple[CropLoss, ...]

    @property
    def mean(self) -> float:
        """Over the photographs, in dB, less those that the fp32 file makes without error."""
        found = [
            crop.plain - crop.twin
            for crop in self.crops
            if crop.is_photograph and crop.plain < math.inf
        ]
        return float(np.mean(found)) if found else math.nan

    @property
    def worst(self) -> CropLoss:
        """The crop that visibly loses the most, or one whose loss is no number."""
        return self.crops[int(np.argmax([crop.visible for crop in self.crops]))]

    def __str__(self) -> str:
        return (
            f"the twin loses {self.mean:.3f} dB on average, {self.worst.visible:.3f} at the worst "
            f"of {len(self.crops)} crops ({self.worst.crop}); {self.above(LARGEST_OF_ONE)} above "
            f"{LARGEST_OF_ONE}"
        )

    def table(self) -> str:
        """Return a line for each crop, and one for all."""
        return "\n".join(map(str, [*self.crops, self]))

    def above(self, limit: float) -> int:
        """How many crops visibly lose more than so many dB."""
        return sum(not crop.visible <= limit for crop in self.crops)


def scores(model: Path, crops: Sequence[Crop], scale: int) -> list[float]:
    """Return the PSNR-Y of each crop by a file, in dB, without a border of the scale's width."""
    upscaler = open_upscaler(str(model), scale)
    return [psnr_y(upscaler.run(crop.lr), crop.hr, scale) for crop in crops]
