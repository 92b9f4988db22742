"""Batches of a collection, each a pure function of its index."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from core.game import Batch

__all__ = ["ShuffledBatches"]


@dataclass(frozen=True)
class ShuffledBatches:
    """Batches of a collection in a new order each epoch; the last, short batch is left out.

    Attributes:
        pictures: ``[N, ...]``.
        batch_size: samples a batch, at most N.
        seed: the orders depend on it and on the epoch alone.
        labels: ``[N]`` conditions, or None.
    """

    pictures: Tensor
    batch_size: int
    seed: int = 0
    labels: Tensor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= len(self.pictures):
            raise ValueError(
                f"batch size must be from 1 to the {len(self.pictures)} samples there are, "
                f"not {self.batch_size}"
            )

    @property
    def per_epoch(self) -> int:
        """Batches an epoch."""
        return len(self.pictures) // self.batch_size

    def batch(self, index: int) -> Batch:
        """Return batch ``index``, counted through all epochs."""
        epoch, place = divmod(index, self.per_epoch)
        order = _order(len(self.pictures), self.seed, epoch)
        chosen = order[place * self.batch_size : (place + 1) * self.batch_size]
        # NumPy gathers in this thread alone; torch would start threads beside those of the training
        pictures = torch.from_numpy(self.pictures.numpy()[chosen])
        return Batch(pictures, None if self.labels is None else self.labels[chosen])


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.random.default_rng((seed, epoch)).permutation(count)
