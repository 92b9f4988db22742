"""The convolutional players that Goodfellow et al. 2014 trained on CIFAR-10, as published."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.mlp import Maxout, uniform

__all__ = ["DeconvolutionGenerator", "MaxoutConvolution", "MaxoutConvolutionalDiscriminator"]

_CHANNELS, _SIDE = 80, 10  # of the plane that the generator's last layer spreads out
_PICTURE = (3, 32, 32)


class DeconvolutionGenerator(nn.Module):
    """Rectified linear units, sigmoid units, then one transposed convolution to 32x32 pixels."""

    def __init__(self, latent_size: int) -> None:
        """Take noise of ``latent_size``; both hidden layers have 8,000 units."""
        super().__init__()
        hidden = _CHANNELS * _SIDE**2
        self.layers = nn.Sequential(
            uniform(nn.Linear(latent_size, hidden), 0.05),
            nn.ReLU(),
            uniform(nn.Linear(hidden, hidden), 0.05),
            nn.Sigmoid(),
        )
        self.spread = nn.ConvTranspose2d(_CHANNELS, 3, kernel_size=5, stride=3, bias=False)
        nn.init.uniform_(self.spread.weight, -0.05, 0.05)
        self.bias = nn.Parameter(torch.zeros(_PICTURE))  # one for each pixel and colour

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``[N, latent_size]`` to ``[N, 3, 32, 32]``, any number."""
        plane = self.layers(z).reshape(-1, _CHANNELS, _SIDE, _SIDE)
        spread: Tensor = self.spread(plane)
        return spread + self.bias


class MaxoutConvolution(nn.Module):
    """A convolution whose channels are the larger of two, then max pooling."""

    def __init__(
        self, inputs: int, channels: int, kernel: int, padding: int, pool: int, stride: int
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, 2 * channels, kernel, padding=padding)
        nn.init.uniform_(self.convolution.weight, -0.005, 0.005)
        nn.init.zeros_(self.convolution.bias)  # type: ignore[arg-type]  # it has one
        self.pool, self.stride = pool, stride

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, channels, h, w]``; the last windows may be short."""
        pieces = self.convolution(x)
        largest = pieces.unflatten(1, (-1, 2)).amax(dim=2)
        return F.max_pool2d(largest, self.pool, self.stride, ceil_mode=True)


class MaxoutConvolutionalDiscriminator(nn.Module):
    """Three maxout convolutions and a maxout layer, with dropout before each, then one logit."""

    def __init__(self, channels: int = 3) -> None:
        """Take 32x32 pictures of ``channels`` planes."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(0.2),
            MaxoutConvolution(channels, 32, kernel=8, padding=4, pool=4, stride=2),
            nn.Dropout(0.5),
            MaxoutConvolution(32, 32, kernel=8, padding=3, pool=4, stride=2),
            nn.Dropout(0.5),
            MaxoutConvolution(32, 192, kernel=5, padding=3, pool=2, stride=2),
            nn.Flatten(),
            nn.Dropout(0.5),
            Maxout(192 * 5 * 5, units=500, pieces=5),
            nn.Dropout(0.5),
            uniform(nn.Linear(500, 1), 0.005),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, channels, 32, 32]`` to logits ``[N, 1]``."""
        logits: Tensor = self.layers(x)
        return logits
