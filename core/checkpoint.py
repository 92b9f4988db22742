"""Checkpoints: one file for a nested state, written whole or not at all, read without pickle."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.command import UserError
from core.files import appearing

__all__ = ["CheckpointError", "load_state", "save_state"]

_STRUCTURE = "structure"
_TENSOR = "__tensor__"


class CheckpointError(UserError):
    """A file is not a checkpoint of this project, or not of the kind that was expected."""


def _flatten(value: Any, key: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        # Numbered, since paths need not be unique: {"a": {"b": ...}} and {"a/b": ...} share one.
        name = f"{len(tensors)}{key}"
        # A clone each: safetensors refuses tensors that share memory.
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        # JSON has string keys only, torch's optimiser states have numbers: keep pairs.
        return {"pairs": [[k, _flatten(v, f"{key}/{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"items": [_flatten(v, f"{key}/{i}", tensors) for i, v in enumerate(value)]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{key} holds a {type(value).__name__}, which a checkpoint cannot hold")


def _restore(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if "pairs" in value:
        return {k: _restore(v, tensors) for k, v in value["pairs"]}
    return [_restore(v, tensors) for v in value["items"]]


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a nested state to ``path`` as one ``.safetensors`` file, atomically.

    Args:
        path: the file.
        state: tensors, numbers, strings, None, and dicts, lists and tuples of these. Tuples come
            back as lists.

    Raises:
        TypeError: if the state holds anything else.
        OSError: if the file cannot be written, as where the disk is full; what was there stays.
    """
    tensors: dict[str, Tensor] = {}
    structure = json.dumps(_flatten(state, "", tensors))
    try:
        with appearing(path) as temporary:
            save_file(tensors, temporary, metadata={_STRUCTURE: structure})
    except SafetensorError as error:  # which hides the system's own
        raise OSError(errno.EIO, str(error), str(path)) from error


def load_state(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a state that :func:`save_state` wrote.

    Raises:
        CheckpointError: if there is no such file, or it is not one of ours.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            structure = (file.metadata() or {}).get(_STRUCTURE)
            if structure is None:
                raise CheckpointError(f"{path} was not written by this project")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"there is no checkpoint at {path}") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable checkpoint: {error}") from error
    try:
        state = _restore(json.loads(structure), tensors)
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} was not written by this project: {error!r}") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} was not written by this project")
    return state
