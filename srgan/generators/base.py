"""What every super-resolution generator says about itself."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

__all__ = ["Generator"]


class Generator(nn.Module, ABC):
    """A network from low-resolution pictures to high-resolution ones.

    It is fully convolutional and uses no statistics of the whole picture, so that a tile with
    enough context comes out as it does within the whole.

    Attributes:
        scale: output side over input side.
        halo: how far, in input pixels, an output pixel looks beyond the input pixel it lies in.
    """

    scale: int
    halo: int

    @property
    @abstractmethod
    def macs_per_lr_pixel(self) -> int:
        """Multiply-adds of the exported network for each input pixel."""

    @property
    def macs_per_hr_pixel(self) -> float:
        """Multiply-adds of the exported network for each output pixel."""
        return self.macs_per_lr_pixel / self.scale**2

    @abstractmethod
    def forward(self, lr: Tensor) -> Tensor:
        """Map float ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``, unclipped."""
