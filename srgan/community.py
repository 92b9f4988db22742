"""Checkpoints of other projects, in any architecture that spandrel knows."""

from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from torch import nn

from core.command import UserError

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

__all__ = ["is_community", "load_descriptor"]

_PICKLED = (".pth", ".pt", ".ckpt")


def is_community(path: Path) -> bool:
    """Tell whether a file is a checkpoint that this project did not write."""
    if path.suffix.lower() in _PICKLED:
        return True
    try:
        with safe_open(path, framework="pt") as file:
            return "structure" not in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False  # the error is for who reads it


def load_descriptor(path: Path) -> "ImageModelDescriptor[nn.Module]":
    """Recognise a checkpoint's architecture and load it, on the CPU, in eval mode.

    It is read as weights only: a pickle that would run code is refused.

    Returns:
        What maps RGB ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]`` in [0, 1].

    Raises:
        UserError: if spandrel is not installed, or the file is no RGB model that it knows.
    """
    try:
        import spandrel
    except ImportError as error:
        raise UserError(
            f"{path} was not written by this project; checkpoints of others need the extra "
            "[community]: pip install '.[community]'"
        ) from error
    try:
        descriptor = spandrel.ModelLoader(device="cpu").load_from_file(path)
    except Exception as error:  # each architecture fails in its own way on weights not its own
        reason = str(error) or type(error).__name__
        raise UserError(f"{path} is no checkpoint that spandrel can read: {reason}") from error
    if not isinstance(descriptor, spandrel.ImageModelDescriptor):
        raise UserError(f"{path} is a model for {descriptor.purpose}, which needs a mask")
    channels = (descriptor.input_channels, descriptor.output_channels)
    if channels != (3, 3):
        raise UserError(f"{path} maps {channels[0]} channels to {channels[1]}; it must be 3 to 3")
    return descriptor.float().eval()
