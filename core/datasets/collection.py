"""A picture collection held in memory, in the three parts that every experiment needs."""

from dataclasses import dataclass

from torch import Tensor

from core.command import UserError

__all__ = ["DataUnavailableError", "Part", "Pictures"]


class DataUnavailableError(UserError):
    """Data is neither on disk nor to be had by download; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """Pictures that are used for one purpose.

    Attributes:
        pictures: float32 ``[N, C, H, W]`` in [0, 1].
        labels: int64 ``[N]``, or None where the collection has none.
    """

    pictures: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class Pictures:
    """A collection.

    Attributes:
        train: what the players see.
        validation: what settings are chosen by, such as the width of Parzen windows.
        test: what figures are reported on.
    """

    train: Part
    validation: Part
    test: Part

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(C, H, W)`` of a picture."""
        channels, height, width = self.train.pictures.shape[1:]
        return channels, height, width

    @property
    def classes(self) -> int:
        """How many classes there are; 0 where the collection has no labels."""
        labels = self.train.labels
        return 0 if labels is None else int(labels.max()) + 1
