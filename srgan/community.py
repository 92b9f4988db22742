"""Checkpoints of other projects, in any architecture that spandrel knows.

They are read as weights only: a pickle that would run code is refused.
"""

import hashlib
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from core.command import UserError
from srgan.generators.base import Generator
from srgan.halo import measure_halo

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

__all__ = ["CommunityGenerator", "is_community", "load_descriptor"]

_PICKLED = (".pth", ".pt", ".ckpt")


def is_community(path: Path) -> bool:
    """Tell whether a file is a checkpoint that this project did not write."""
    if path.suffix in _PICKLED:
        return True
    try:
        with safe_open(path, framework="pt") as file:
            return "structure" not in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False  # the error is for who reads it


def _weights(path: Path) -> dict[str, Any]:
    try:
        if path.suffix in _PICKLED:
            found = torch.load(path, map_location="cpu", weights_only=True)
        else:
            found = load_file(path)
    except (OSError, RuntimeError, UnpicklingError, SafetensorError, EOFError) as error:
        raise UserError(f"{path} cannot be read as weights alone: {error}") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} must hold a dictionary of weights, not a {type(found).__name__}")
    return found


def load_descriptor(path: Path) -> "ImageModelDescriptor[nn.Module]":
    """Recognise a checkpoint's architecture and load it, on the CPU, in eval mode.

    Returns:
        What maps RGB ``[1, 3, H, W]`` in [0, 1] to ``[1, 3, scale * H, scale * W]`` in [0, 1].

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
    weights = spandrel.canonicalize_state_dict(_weights(path))
    try:
        descriptor = spandrel.ModelLoader(device="cpu").load_from_state_dict(weights)
    except Exception as error:  # each architecture fails in its own way on weights not its own
        raise UserError(f"{path} is no checkpoint that spandrel knows: {error}") from error
    if not isinstance(descriptor, spandrel.ImageModelDescriptor):
        raise UserError(f"{path} is a model for {descriptor.purpose}, which needs a mask")
    channels = (descriptor.input_channels, descriptor.output_channels)
    if channels != (3, 3):
        raise UserError(f"{path} maps {channels[0]} channels to {channels[1]}; it must be 3 to 3")
    return descriptor.float().eval()


def _fold_once(network: nn.Module) -> None:
    """Stop SPAN from folding its branches into one convolution at each call, which no trace bears.

    Its weights do not change here, so that once is enough.
    """
    for module in network.modules():
        if callable(fold := getattr(module, "update_params", None)):
            fold()
            module.update_params = lambda: None  # type: ignore[assignment]


class CommunityGenerator(Generator):
    """Another project's network as one of ours: pictures of any size, whole or in tiles.

    Attributes:
        architecture: what spandrel recognised.
        origin: which file it comes from.
    """

    def __init__(self, path: Path) -> None:
        """Load a checkpoint and measure its halo, which takes seconds to minutes.

        Raises:
            UserError: if it cannot be read, or cannot run in tiles.
        """
        super().__init__()
        descriptor = load_descriptor(path)
        sizes = descriptor.size_requirements
        if sizes.multiple_of > 1 or sizes.square:
            raise UserError(
                f"{path} cannot run in tiles: its {descriptor.architecture.name} takes only "
                f"pictures whose sides are "
                + ("equal" if sizes.square else f"multiples of {sizes.multiple_of}")
            )
        self.network = descriptor.model
        _fold_once(self.network)
        self.eval().requires_grad_(False)
        self.scale = descriptor.scale
        self.architecture = {
            "name": descriptor.architecture.name,
            "scale": descriptor.scale,
            "tags": descriptor.tags,
        }
        self.origin = {
            "source": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "read_by": f"spandrel {version('spandrel')}",
        }
        try:
            self.halo = measure_halo(self, self.scale)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        except (RuntimeError, TypeError) as error:  # it wants sizes, or arguments, of its own
            raise UserError(f"{path} does not take pictures of any size: {error}") from error

    @property
    def macs_per_lr_pixel(self) -> int:
        """Multiply-adds for each input pixel, counted on a picture of 32x32."""
        with FlopCounterMode(display=False) as counter:
            self(torch.zeros(1, 3, 32, 32))
        return int(counter.get_total_flops()) // 2 // 32**2

    def forward(self, lr: Tensor) -> Tensor:
        """Map float ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``, unclipped."""
        hr: Tensor = self.network(lr)
        return hr
