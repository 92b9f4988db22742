"""Small picture collections, held in memory, and their batches."""

import gzip
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from core.command import UserError
from core.game import Batch

__all__ = ["DATASETS", "DataUnavailableError", "Pictures", "ShuffledBatches", "load_pictures"]

logger = logging.getLogger(__name__)


class DataUnavailableError(UserError):
    """Data is neither on disk nor to be had by download; the message says what to do."""


@dataclass(frozen=True)
class Pictures:
    """A labelled collection.

    Attributes:
        train: float32 ``[N, C, H, W]`` in [0, 1].
        train_labels: int64 ``[N]``.
        test: float32 ``[M, C, H, W]`` in [0, 1].
        test_labels: int64 ``[M]``.
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def _unpack(raw: Path) -> None:
    """Unpack the .gz files beside which there is no plain one.

    torchvision does so only for files of a digest that it knows, which not every mirror's have.
    """
    for packed in raw.glob("*-ubyte.gz"):
        plain = packed.with_suffix("")
        if plain.exists():
            continue
        temporary = plain.with_name(f".{plain.name}.{os.getpid()}.part")
        try:
            with gzip.open(packed) as content, temporary.open("wb") as out:
                shutil.copyfileobj(content, out)
            temporary.replace(plain)
        except (OSError, EOFError, zlib.error) as error:
            logger.warning("%s cannot be unpacked: %s", packed, error)
        finally:
            temporary.unlink(missing_ok=True)


def _mnist(data_dir: Path) -> Pictures:
    from torchvision.datasets import MNIST

    _unpack(data_dir / "MNIST" / "raw")
    try:
        train = MNIST(str(data_dir), train=True, download=False)
        test = MNIST(str(data_dir), train=False, download=False)
    except RuntimeError:  # torchvision's word for "not there"
        try:
            train = MNIST(str(data_dir), train=True, download=True)
            test = MNIST(str(data_dir), train=False, download=True)
        except (OSError, RuntimeError) as error:
            raise DataUnavailableError(
                f"MNIST is not in {data_dir}/MNIST/raw and cannot be downloaded ({error}). Put "
                "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
                "t10k-labels-idx1-ubyte (or their .gz files) there, or use --dataset digits, "
                "which needs no download."
            ) from error
    return Pictures(
        train.data[:, None].float() / 255,
        train.targets.long(),
        test.data[:, None].float() / 255,
        test.targets.long(),
    )


def _digits(_data_dir: Path) -> Pictures:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pictures = torch.from_numpy(bunch.images).float()[:, None] / 16
    labels = torch.from_numpy(bunch.target).long()
    # The collection comes by writer; an interleaved split gives both parts every hand.
    held_out = torch.arange(len(labels)) % 6 == 0
    return Pictures(pictures[~held_out], labels[~held_out], pictures[held_out], labels[held_out])


DATASETS: Mapping[str, Callable[[Path], Pictures]] = MappingProxyType(
    {"mnist": _mnist, "digits": _digits}
)


def load_pictures(name: str, data_dir: Path) -> Pictures:
    """Load a collection by name.

    ``mnist`` is read from ``data_dir/MNIST/raw`` (torchvision's layout) and downloaded there where
    it is missing; ``digits`` (1,797 pictures of 8x8, from scikit-learn) needs no download.

    Raises:
        DataUnavailableError: if the data cannot be had.
        ValueError: if the name is unknown.
    """
    if name not in DATASETS:
        raise ValueError(f"dataset must be one of {', '.join(DATASETS)}, not {name!r}")
    return DATASETS[name](data_dir)


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
        return Batch(self.pictures[chosen], None if self.labels is None else self.labels[chosen])


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng((seed, epoch)).permutation(count))
