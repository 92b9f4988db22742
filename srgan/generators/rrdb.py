"""The generator of ESRGAN (Wang et al. 2018) and Real-ESRGAN (Wang et al. 2021)."""

import math
import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srgan.generators.base import Generator

__all__ = ["RRDB", "published_weights"]

_RESIDUAL = 0.2  # each residual is scaled down by this, which keeps a deep stack stable


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


class _DenseBlock(nn.Module):
    """Five convolutions, each of which sees the block's input and all that came before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for index in range(1, 6):
            inputs = width + (index - 1) * growth
            outputs = width if index == 5 else growth
            setattr(self, f"conv{index}", nn.Conv2d(inputs, outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        seen = [x]
        for index in range(1, 5):
            seen.append(_leaky(getattr(self, f"conv{index}")(torch.cat(seen, dim=1))))
        last: Tensor = self.get_submodule("conv5")(torch.cat(seen, dim=1))
        return x + _RESIDUAL * last


class _ResidualInResidual(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = _DenseBlock(width, growth)
        self.rdb2 = _DenseBlock(width, growth)
        self.rdb3 = _DenseBlock(width, growth)

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.rdb3(self.rdb2(self.rdb1(x)))
        return x + _RESIDUAL * residual


class RRDB(Generator):
    """Residual-in-residual dense blocks at low resolution, then one doubling for each factor of 2.

    Real-ESRGAN's own x2 network folds its input first and is another one: a tile of it would
    depend on whether it begins at an even pixel.
    """

    def __init__(self, scale: int = 4, width: int = 64, blocks: int = 23) -> None:
        """Build the network; the defaults are the papers'.

        Raises:
            ValueError: if ``scale`` is neither 2 nor 4, or ``width`` is below 2.
        """
        super().__init__()
        if scale not in (2, 4):
            raise ValueError(f"rrdb's scale must be 2 or 4, not {scale}")
        if width < 2:  # its dense blocks grow by half of that
            raise ValueError(f"rrdb's width must be at least 2, not {width}")
        self.scale = scale
        growth = width // 2
        # Head, 15 convolutions a block, one after; then one at twice the level and, for scale 4,
        # another at four times it, and two more at the output's.
        above = 1 / 2 + (1 / 4 if scale == 4 else 0) + 2 / scale
        self.halo = math.ceil(1 + 15 * blocks + 1 + above)
        self.conv_first = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*(_ResidualInResidual(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up1 = nn.Conv2d(width, width, 3, padding=1)
        if scale == 4:
            self.conv_up2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)
        with torch.no_grad():
            for module in self.body.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight)
                    module.weight.mul_(0.1)

    @property
    def macs_per_lr_pixel(self) -> int:
        """Multiply-adds for each input pixel."""

        def weights(*modules: nn.Module) -> int:
            return sum(p.numel() for m in modules for p in m.parameters() if p.dim() == 4)

        macs = weights(self.conv_first, self.body, self.conv_body) + 4 * weights(self.conv_up1)
        if self.scale == 4:
            macs += 16 * weights(self.conv_up2)
        return macs + self.scale**2 * weights(self.conv_hr, self.conv_last)

    def forward(self, lr: Tensor) -> Tensor:
        """Map float ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``, unclipped."""
        shallow = self.conv_first(lr)
        x = shallow + self.conv_body(self.body(shallow))
        x = _leaky(self.conv_up1(F.interpolate(x, scale_factor=2.0, mode="nearest")))
        if self.scale == 4:
            x = _leaky(self.conv_up2(F.interpolate(x, scale_factor=2.0, mode="nearest")))
        hr: Tensor = self.conv_last(_leaky(self.conv_hr(x)))
        return hr


# What the files of ESRGAN's own repository call the modules that later files call otherwise.
_EARLIER_NAMES = {
    "RRDB_trunk": "body",
    "trunk_conv": "conv_body",
    "upconv1": "conv_up1",
    "upconv2": "conv_up2",
    "HRconv": "conv_hr",
}


def published_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of a published ESRGAN or Real-ESRGAN file to :class:`RRDB`'s names.

    Takes ``RRDB_ESRGAN_x4`` (``RRDB_trunk.0.RDB1...``) and the files before it, as which most
    networks of others lie around (``model.1.sub.0.RDB1...``), as well as BasicSR's
    (``body.0.rdb1...``); also where the weights lie under ``params_ema``, ``params`` or
    ``state_dict``, or were a parallel module's.

    Args:
        state: the file's content as ``torch.load(..., weights_only=True)`` gives it.
    """
    for wrapper in ("params_ema", "params", "state_dict"):
        inner = state.get(wrapper)
        if isinstance(inner, Mapping):
            state = inner
            break
    weights = {
        str(name).removeprefix("module."): tensor
        for name, tensor in state.items()
        if isinstance(tensor, Tensor)
    }
    if "model.0.weight" in weights:
        weights = _named_by_place(weights)
    renamed = {}
    for name, tensor in weights.items():
        first, dot, rest = name.partition(".")
        rest = re.sub(r"\bRDB(\d)", r"rdb\1", rest)
        renamed[_EARLIER_NAMES.get(first, first) + dot + rest] = tensor
    return renamed


# The convolutions of such a sequence, by how many of them there are beside the blocks.
_SEQUENCES = {
    4: ("conv_first", "conv_up1", "conv_hr", "conv_last"),
    5: ("conv_first", "conv_up1", "conv_up2", "conv_hr", "conv_last"),
}


def _named_by_place(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights of a sequence, ``model.INDEX.weight``, whose second part are the blocks."""
    convolution = re.compile(r"model\.(\d+)\.(\w+)")
    found = {int(match[1]) for name in weights if (match := convolution.fullmatch(name))}
    names = dict(zip(sorted(found), _SEQUENCES.get(len(found), ()), strict=False))

    def renamed(name: str) -> str:
        if match := convolution.fullmatch(name):
            return f"{names.get(int(match[1]))}.{match[2]}"
        name = re.sub(r"model\.1\.sub\.(\d+\.RDB\d\.conv\d)\.0\.", r"body.\1.", name)
        return re.sub(r"model\.1\.sub\.\d+\.(\w+)$", r"conv_body.\1", name)

    return {renamed(name): tensor for name, tensor in weights.items()}
