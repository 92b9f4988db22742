"""Checkpoints as other projects save them, made up."""

from pathlib import Path

import torch
from spandrel.architectures.Compact import Compact
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwinIR import SwinIR
from torch import nn


def _seeded(network: type[nn.Module], **sizes: object) -> nn.Module:
    torch.manual_seed(0)
    return network(**sizes).eval()


def compact(scale: int, channels: int = 3) -> nn.Module:
    """Four 3x3 convolutions, as in Real-ESRGAN's small models."""
    sizes = {"num_feat": 8, "num_conv": 2, "upscale": scale}
    return _seeded(Compact, num_in_ch=channels, num_out_ch=channels, **sizes)


def span(scale: int) -> nn.Module:
    """A network that folds its branches whenever it is called."""
    return _seeded(SPAN, num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=scale)


def swinir() -> nn.Module:
    """A network of windows."""
    return _seeded(SwinIR, embed_dim=12, depths=[2], num_heads=[2], window_size=4, upscale=2,
                   img_size=16, upsampler="pixelshuffledirect")  # fmt: skip


def save(path: Path, network: nn.Module) -> Path:
    """Write a training checkpoint that holds the network's smoothed weights."""
    torch.save({"params_ema": network.state_dict()}, path)
    return path
