"""Discriminators that tell upscaled pictures from photographs, by name."""

from typing import Literal

from torch import nn

from srgan.discriminators.patch import PatchDiscriminator
from srgan.discriminators.srgan import SRGANDiscriminator
from srgan.discriminators.unet import UNetDiscriminator

__all__ = [
    "DiscriminatorName",
    "PatchDiscriminator",
    "SRGANDiscriminator",
    "UNetDiscriminator",
    "build_discriminator",
]

DiscriminatorName = Literal["srgan", "unet", "patch"]


def build_discriminator(name: DiscriminatorName, channels: int, width: int, size: int) -> nn.Module:
    """Return a discriminator with fresh weights.

    Args:
        name: which network.
        channels: of the pictures it sees: 3, or 6 with the low-resolution picture beside.
        width: channels of its first layer.
        size: side of the pictures, which some of the networks depend on.

    Raises:
        ValueError: if the network cannot see pictures of that size.
    """
    if name == "srgan":
        return SRGANDiscriminator(size, channels, width)
    if name == "unet":
        return UNetDiscriminator(channels, width)
    if size % 4:
        raise ValueError(f"the patch discriminator's picture size must be a multiple of 4: {size}")
    return PatchDiscriminator(channels, width)
