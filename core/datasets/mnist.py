"""MNIST, from torchvision's files: 28x28 handwritten digits (LeCun et al. 1998)."""

import gzip
import logging
import shutil
import zlib
from pathlib import Path

from core.datasets.collection import DataUnavailableError, Part, Pictures
from core.files import appearing, locked

__all__ = ["load_mnist"]

logger = logging.getLogger(__name__)

# Goodfellow et al. 2014 train on the first 50,000 and validate on the other 10,000.
_TRAIN = 50_000


def _unpack(raw: Path) -> None:
    """Unpack the .gz files beside which there is no plain one.

    torchvision does so only for files of a digest that it knows, which not every mirror's have.
    """
    for packed in raw.glob("*-ubyte.gz"):
        plain = packed.with_suffix("")
        if plain.exists():
            continue
        try:
            with (
                appearing(plain) as temporary,
                gzip.open(packed) as content,
                temporary.open("wb") as out,
            ):
                shutil.copyfileobj(content, out)
        except (OSError, EOFError, zlib.error) as error:
            logger.warning("%s cannot be unpacked: %s", packed, error)


def load_mnist(data_dir: Path) -> Pictures:
    """Read MNIST from ``data_dir/MNIST/raw``; download it there where it is missing."""
    from torchvision.datasets import MNIST

    _unpack(data_dir / "MNIST" / "raw")
    try:
        train = MNIST(str(data_dir), train=True, download=False)
        test = MNIST(str(data_dir), train=False, download=False)
    except RuntimeError:  # torchvision's word for "not there"
        try:
            with locked(data_dir):  # of several processes one downloads, the others find it there
                train = MNIST(str(data_dir), train=True, download=True)
                test = MNIST(str(data_dir), train=False, download=True)
        except (OSError, RuntimeError) as error:
            raise DataUnavailableError(
                f"MNIST is not in {data_dir}/MNIST/raw and cannot be downloaded ({error}). Put "
                "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
                "t10k-labels-idx1-ubyte (or their .gz files) there, or use --recipe digits, "
                "which needs no download."
            ) from error
    pictures, labels = train.data[:, None].float() / 255, train.targets.long()
    return Pictures(
        train=Part(pictures[:_TRAIN], labels[:_TRAIN]),
        validation=Part(pictures[_TRAIN:], labels[_TRAIN:]),
        test=Part(test.data[:, None].float() / 255, test.targets.long()),
    )
