"""Shows that an exported file computes what its network does, on noise and on photographs."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.command import UserError
from srgan.generators import Generator
from srgan.sources import list_pictures
from tools.crops import middle

__all__ = ["ExportError", "check_equal", "largest_difference", "photographs"]

logger = logging.getLogger(__name__)

# batch, height, width: single pixels, odd and prime sides, sides shorter than the halo
CHECKED_SHAPES = ((1, 1, 1), (1, 2, 7), (2, 17, 23), (3, 31, 8), (1, 64, 64), (2, 61, 127))
_EXAMPLE = Path(__file__).parent.parent / "examples" / "cat.png"
_SHOWN = 4  # photographs that equality is shown on


class ExportError(UserError):
    """The exported file does not do what the network does."""


def photographs(folder: Path | None, scale: int) -> list[Tensor]:
    """Return what equality is shown on beside noise, ``[1, 3, H, W]`` in [0, 1].

    These are the middles of the first pictures of a folder, or where there is none, of the
    example that this project ships.
    """
    paths = [_EXAMPLE] if folder is None else list_pictures(folder)[:_SHOWN]
    return [middle(path, scale).lr for path in paths]


def check_equal(
    network: Generator, path: Path, pictures: Sequence[Tensor], tolerance: float
) -> None:
    """Compare a file in ONNX Runtime with its network in torch, on noise and on pictures.

    Raises:
        ExportError: if they differ by more than the tolerance anywhere.
    """
    for kind, inputs in (("noise", _noise()), ("photographs", pictures)):
        difference = largest_difference(network, path, inputs)
        if not difference <= tolerance:  # nor may it be NaN
            raise ExportError(
                f"ONNX Runtime and torch differ by {difference:.2e} on {kind}, "
                f"allowed is {tolerance:.0e}"
            )
        logger.info(
            "largest difference between ONNX Runtime and torch on %s: %.1e", kind, difference
        )


def _noise() -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    return [
        torch.rand(batch, 3, height, width, generator=random)
        for batch, height, width in CHECKED_SHAPES
    ]


@torch.no_grad()
def largest_difference(
    network: Generator, path: Path, inputs: Sequence[Tensor] | None = None
) -> float:
    """Return the largest absolute difference of outputs over inputs, by default noise."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = []
    for lr in _noise() if inputs is None else inputs:
        (got,) = session.run(None, {"lr": lr.numpy()})
        differences.append(np.abs(got - network(lr).numpy()).max())
    return float(np.max(differences))  # NaN if any is, unlike Python's max
