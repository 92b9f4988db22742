"""Picture collections, held in memory, and their batches."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from core.datasets.batches import ShuffledBatches
from core.datasets.cifar10 import load_cifar10
from core.datasets.collection import DataUnavailableError, Part, Pictures
from core.datasets.digits import load_digits
from core.datasets.folder import load_folder
from core.datasets.mnist import load_mnist
from core.datasets.tfd import load_tfd

__all__ = [
    "DATASETS",
    "DataUnavailableError",
    "Part",
    "Pictures",
    "ShuffledBatches",
    "load_pictures",
]

DATASETS: Mapping[str, Callable[[Path], Pictures]] = MappingProxyType(
    {"mnist": load_mnist, "digits": load_digits, "cifar10": load_cifar10, "tfd": load_tfd}
)


def load_pictures(name: str, data_dir: Path, size: int = 64) -> Pictures:
    """Load a collection.

    Args:
        name: ``mnist``, ``digits``, ``cifar10``, ``tfd``, or a folder of pictures.
        data_dir: where the named collections lie, in torchvision's layout; ``mnist`` and
            ``cifar10`` are downloaded there where they are missing.
        size: side that a folder's pictures are brought to.

    Raises:
        DataUnavailableError: if the data cannot be had, or there is no such name or folder.
    """
    if name in DATASETS:
        return DATASETS[name](data_dir)
    if not Path(name).is_dir():
        raise DataUnavailableError(
            f"--dataset must be one of {', '.join(DATASETS)} or a folder of pictures, not {name!r}"
        )
    return load_folder(Path(name), size)
