"""Small fully connected players without dropout, for losses that are regularised by gradients."""

import torch
from torch import Tensor, nn

from core.networks.mlp import uniform

__all__ = ["DenseDiscriminator", "DenseGenerator"]

_SLOPE = 0.2


class DenseGenerator(nn.Module):
    """Two layers of leaky rectified linear units, then a sigmoid for each pixel."""

    def __init__(
        self, latent_size: int, shape: tuple[int, int, int], hidden: int, pixel_means: Tensor
    ) -> None:
        """Start near the mean picture.

        Args:
            latent_size: length of the noise vector.
            shape: ``(C, H, W)`` of a picture.
            hidden: units in each hidden layer.
            pixel_means: ``[C, H, W]`` in [0, 1].
        """
        super().__init__()
        self.shape = shape
        last = uniform(nn.Linear(hidden, pixel_means.numel()), 0.05)
        with torch.no_grad():
            last.bias.copy_(torch.logit(pixel_means.flatten(), eps=1e-2))
        self.layers = nn.Sequential(
            nn.Linear(latent_size, hidden),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(_SLOPE),
            last,
            nn.Sigmoid(),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``[N, latent_size]`` to pictures ``[N, C, H, W]`` in (0, 1)."""
        pixels: Tensor = self.layers(z)
        return pixels.reshape(-1, *self.shape)


class DenseDiscriminator(nn.Module):
    """Two layers of leaky rectified linear units, then one logit."""

    def __init__(self, inputs: int, hidden: int) -> None:
        """Take pictures of ``inputs`` numbers."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(inputs, hidden),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(hidden, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures ``[N, C, H, W]`` to logits ``[N, 1]``."""
        logits: Tensor = self.layers(x)
        return logits
