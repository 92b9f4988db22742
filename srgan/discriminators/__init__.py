"""Discriminators that tell upscaled pictures from photographs."""

from srgan.discriminators.srgan import SRGANDiscriminator

__all__ = ["SRGANDiscriminator"]
