"""Shift-tolerant LPIPS: how different two pictures look (Ghildyal and Liu 2022).

LPIPS (Zhang et al. 2018) whose trunks are low-pass filtered before each subsampling, so that a
shift that nobody sees does not move the distance. The weights, trunk included, are read from the
installed package ``stlpips-pytorch``.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.command import UserError

__all__ = ["ShiftTolerantLPIPS", "Trunk"]

Trunk = Literal["alex", "vgg"]


class _BlurPool(nn.Module):
    """A [1 2 1] low-pass in both directions, then every second sample; edges are reflected."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        tap = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.filt: Tensor
        self.register_buffer("filt", torch.outer(tap, tap).expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (2, 2, 2, 2), mode="reflect")
        return F.conv2d(padded, self.filt, stride=2, groups=x.shape[1])


def _convolution(inputs: int, outputs: int, kernel: int, padding: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.ReLU()]


def _alex() -> tuple[list[list[nn.Module]], list[int]]:
    slices: list[list[nn.Module]] = [
        [nn.Conv2d(3, 64, 11, padding=2), _BlurPool(64), nn.ReLU()],
        [nn.MaxPool2d(3, 1), _BlurPool(64), *_convolution(64, 192, 5, 2)],
        [nn.MaxPool2d(3, 1), _BlurPool(192), *_convolution(192, 384, 3, 1)],
        _convolution(384, 256, 3, 1),
        _convolution(256, 256, 3, 1),
    ]
    return slices, [64, 192, 384, 256, 256]


def _vgg() -> tuple[list[list[nn.Module]], list[int]]:
    slices: list[list[nn.Module]] = []
    inputs = 3
    for level, (outputs, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
        layers: list[nn.Module] = [nn.MaxPool2d(2, 1), _BlurPool(inputs)] if level else []
        for _ in range(depth):
            layers += _convolution(inputs, outputs, 3, 1)
            inputs = outputs
        slices.append(layers)
    return slices, [64, 128, 256, 512, 512]


_TRUNKS = {"alex": _alex, "vgg": _vgg}
# of which so much is left that the last low-pass can still reflect its edges
_LEAST_SIDES = {"alex": 21, "vgg": 18}


class ShiftTolerantLPIPS(nn.Module):
    """The distance, frozen; 0 for equal pictures, lower is closer.

    Attributes:
        least_side: of the pictures that it takes, in pixels.
    """

    def __init__(self, trunk: Trunk = "alex") -> None:
        """Read the weights.

        Raises:
            UserError: if the package that holds them is not installed.
        """
        super().__init__()
        package = find_spec("stlpips_pytorch")
        if package is None or not package.submodule_search_locations:
            raise UserError("ST-LPIPS needs the package stlpips-pytorch, which holds its weights")
        folder = Path(package.submodule_search_locations[0])
        published = torch.load(
            folder / "weights" / "vST0.0" / f"{trunk}_shift_tolerant.pth",
            map_location="cpu",
            weights_only=True,
        )
        self.least_side = _LEAST_SIDES[trunk]
        slices, channels = _TRUNKS[trunk]()
        self.slices = nn.ModuleList(nn.Sequential(*layers) for layers in slices)
        # Both list their layers in the order in which they run.
        trunk_weights = [tensor for name, tensor in published.items() if name.startswith("net.")]
        own = self.slices.state_dict()
        self.slices.load_state_dict(dict(zip(own, trunk_weights, strict=True)))
        self.heads = nn.ParameterList(
            published[f"lin{index}.model.1.weight"] for index in range(len(channels))
        )
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", published["scaling_layer.shift"])
        self.register_buffer("scale", published["scaling_layer.scale"])
        self.eval().requires_grad_(False)

    def _features(self, picture: Tensor) -> list[Tensor]:
        x = ((2 * picture - 1) - self.shift) / self.scale
        features = []
        for layers in self.slices:
            x = layers(x)
            features.append(x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10))
        return features

    def forward(self, picture: Tensor, reference: Tensor) -> Tensor:
        """Return the distance of each pair.

        Args:
            picture: RGB ``[N, 3, H, W]`` in [0, 1], sides of at least ``least_side``.
            reference: likewise.

        Returns:
            ``[N]``, not negative.
        """
        distance = picture.new_zeros(len(picture))
        pairs = zip(self._features(picture), self._features(reference), self.heads, strict=True)
        for got, wanted, head in pairs:
            weighted = (got - wanted).square() * head
            distance = distance + weighted.sum(dim=1).mean(dim=(1, 2))
        return distance
