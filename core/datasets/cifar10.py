"""CIFAR-10: 32x32 colour photographs of ten kinds of things (Krizhevsky 2009)."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.datasets.collection import DataUnavailableError, Part, Pictures

__all__ = ["load_cifar10"]


def _part(pictures: np.ndarray, labels: object) -> Part:
    nchw = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    return Part(nchw.float() / 255, torch.as_tensor(np.asarray(labels)).long().flatten())


def _archive(path: Path) -> tuple[Part, Part]:
    with np.load(path) as arrays:
        try:
            return (
                _part(arrays["x_train"], arrays["y_train"]),
                _part(arrays["x_test"], arrays["y_test"]),
            )
        except (KeyError, ValueError) as error:
            raise DataUnavailableError(
                f"{path} must hold x_train, y_train, x_test and y_test, with pictures as uint8 "
                f"[N, 32, 32, 3]: {error}"
            ) from error


def _files(data_dir: Path) -> tuple[Part, Part]:
    from torchvision.datasets import CIFAR10

    try:
        parts = [CIFAR10(str(data_dir), train=train, download=False) for train in (True, False)]
    except RuntimeError:
        try:
            parts = [CIFAR10(str(data_dir), train=train, download=True) for train in (True, False)]
        except (OSError, RuntimeError) as error:
            raise DataUnavailableError(
                f"CIFAR-10 is not in {data_dir} and cannot be downloaded ({error}). Put the "
                "folder cifar-10-batches-py there, or an archive cifar10/NAME.npz that holds "
                "x_train, y_train, x_test and y_test."
            ) from error
    train, test = (_part(part.data, part.targets) for part in parts)
    return train, test


def _cut(part: Part, chosen: slice) -> Part:
    labels: Tensor | None = part.labels
    return Part(part.pictures[chosen], None if labels is None else labels[chosen])


def load_cifar10(data_dir: Path) -> Pictures:
    """Read ``data_dir/cifar10/*.npz`` where there is one, else torchvision's files.

    The last fifth of the training pictures is for validation, as in Goodfellow et al. 2014.

    Raises:
        DataUnavailableError: if there are neither and no download is possible.
    """
    archives = sorted((data_dir / "cifar10").glob("*.npz"))
    train, test = _archive(archives[0]) if archives else _files(data_dir)
    seen = len(train) * 4 // 5
    return Pictures(_cut(train, slice(seen)), _cut(train, slice(seen, None)), test)
