"""Generators of ESRGAN and Real-ESRGAN as their authors publish them, to train on from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from core.command import UserError
from srgan.generators import Generator, GeneratorSpec
from srgan.generators.rrdb import published_weights

__all__ = ["load_published"]


def _read(path: Path) -> Any:
    """Return what a file holds; a pickle that would run code is refused."""
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"there is no checkpoint at {path}") from None
    except Exception as error:  # what is no pickle of tensors fails in ways of its own
        raise UserError(
            f"{path} cannot be read as weights alone: it is broken, or holds code to run"
        ) from error


def load_published(path: Path) -> tuple[Generator, GeneratorSpec]:
    """Read a published RRDB network; its scale, width and blocks are told by its weights.

    Args:
        path: a ``.pth`` or ``.safetensors`` file with BasicSR's names or ESRGAN's earlier ones.

    Raises:
        UserError: if the file cannot be read, or holds another network.
    """
    state = _read(path)
    weights = published_weights(state) if isinstance(state, Mapping) else {}
    first = weights.get("conv_first.weight")
    blocks = {name.split(".")[1] for name in weights if name.startswith("body.")}
    if first is None or first.dim() != 4 or not blocks:
        raise _another(path)
    if first.shape[1] != 3:
        raise UserError(
            f"{path} folds its input into {first.shape[1]} channels first, as Real-ESRGAN's x2 "
            "does; --init takes RRDB networks that read 3 channels"
        )
    scale = 4 if "conv_up2.weight" in weights else 2
    spec = GeneratorSpec("rrdb", scale, width=len(first), blocks=len(blocks))
    network = spec.build()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise _another(path) from error
    return network, spec


def _another(path: Path) -> UserError:
    return UserError(
        f"{path} holds no RRDB network; --init takes generators of this project, and ESRGAN's and "
        "Real-ESRGAN's published ones"
    )
