"""What an operator knows of a model file that does not describe itself."""

from dataclasses import dataclass
from typing import Literal

from serving.errors import InvalidConfig

Range = Literal["0..1", "0..255"]


@dataclass(frozen=True)
class Hints:
    """What is known of model files that have no metadata of this project.

    Raises:
        InvalidConfig: the halo is negative.
    """

    input_range: Range | None = None
    """Range of the samples of model files without metadata, where it cannot be found out."""

    color_order: Literal["RGB", "BGR"] = "RGB"
    """Order of the channels of such files, which cannot be found out."""

    halo: int | None = None
    """How many pixels far such networks look; by default found out."""

    def __post_init__(self) -> None:
        if self.halo is not None and self.halo < 0:
            raise InvalidConfig("halo", self.halo, "at least 0")
