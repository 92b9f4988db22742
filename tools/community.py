"""Another project's checkpoint as a generator like ours, so that it can be exported."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from core.command import UserError
from serving.digest import sha256_of
from serving.probe import probe_halo
from srgan.community import load_descriptor
from srgan.generators import Generator

__all__ = ["CommunityGenerator"]


def _fold_once(network: nn.Module) -> None:
    """Stop SPAN from folding its branches into one convolution at each call, which no trace bears.

    Its weights do not change here, so that once is enough.
    """
    for module in network.modules():
        if callable(fold := getattr(module, "update_params", None)):
            fold()
            module.update_params = lambda: None  # type: ignore[assignment]


class CommunityGenerator(Generator):
    """A network that spandrel knows, whole or in tiles.

    Its halo is measured: what lies further away makes no difference that can be seen.
    """

    def __init__(self, path: Path) -> None:
        """Load a checkpoint and measure its halo, which takes seconds to minutes.

        Raises:
            UserError: if it cannot be read, or cannot run in tiles.
        """
        super().__init__()
        descriptor = load_descriptor(path)
        self._kind = descriptor.architecture.name
        if not descriptor.size_requirements.none:
            raise UserError(f"{path}: a {self._kind} does not take pictures of any size")
        self.network = descriptor.model
        self.scale = descriptor.scale
        _fold_once(self.network)
        self.eval().requires_grad_(False)
        halo = probe_halo(self._run, None, self.scale)
        if halo is None:
            raise UserError(f"{path}: a {self._kind} looks too far to run in tiles")
        self.halo = halo
        self._origin = {
            "source": path.name,
            "sha256": sha256_of(path),
            "read_by": f"spandrel {version('spandrel')}",
        }

    def _run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        hr: NDArray[np.float32] = self(torch.from_numpy(lr)).numpy()
        return hr

    @property
    def macs_per_lr_pixel(self) -> int:
        """Multiply-adds for each input pixel, counted on a picture of 32x32."""
        with FlopCounterMode(display=False) as counter:
            self(torch.zeros(1, 3, 32, 32))
        return int(counter.get_total_flops()) // 2 // 32**2

    def metadata(self) -> dict[str, str]:
        """Return what an exported file says about where it comes from."""
        return {
            "license": "NOASSERTION",
            "architecture": json.dumps({"name": self._kind, "scale": self.scale}),
            "training_run": json.dumps(self._origin),
        }

    def forward(self, lr: Tensor) -> Tensor:
        """Map float ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``, unclipped."""
        hr: Tensor = self.network(lr)
        return hr
