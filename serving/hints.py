"""What an operator knows of a model file that does not describe itself."""

from dataclasses import dataclass
from typing import Literal

from serving.checks import check_range

# A tile has four halos a side where that is more than tiles usually have, and all of it is computed
# at once.
LARGEST_HALO = 512

Range = Literal["0..1", "0..255"]


@dataclass(frozen=True)
class Hints:
    """What is known of model files that have no metadata of this project.

    Raises:
        InvalidConfig: the halo is out of its range.
    """

    input_range: Range | None = None
    """Range of the samples of model files without metadata, where it cannot be found out."""

    color_order: Literal["RGB", "BGR"] = "RGB"
    """Order of the channels of such files, which cannot be found out."""

    halo: int | None = None
    """How many pixels far such networks look; by default found out."""

    def __post_init__(self) -> None:
        if self.halo is not None:
            check_range(self, "halo", 0, LARGEST_HALO)
