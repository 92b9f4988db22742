"""The fully connected players of Goodfellow et al. 2014, as its published code sets them."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = [
    "Maxout",
    "MaxoutDiscriminator",
    "MlpGenerator",
    "SigmoidMlpGenerator",
    "StackedGenerator",
    "clamp_column_norms",
    "uniform",
]


def uniform(layer: nn.Linear, bound: float) -> nn.Linear:
    """Draw the weights from ±bound and set the biases to zero."""
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.zeros_(layer.bias)
    return layer


def _sparse(layer: nn.Linear, count: int) -> nn.Linear:
    """Give each unit ``count`` weights of unit variance, and zero elsewhere."""
    nn.init.zeros_(layer.bias)
    kept = torch.rand_like(layer.weight).argsort(dim=1) < count
    with torch.no_grad():
        layer.weight.copy_(torch.randn_like(layer.weight) * kept)
    return layer


class Maxout(nn.Module):
    """A layer whose units are the largest of several linear pieces (Goodfellow et al. 2013)."""

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = uniform(nn.Linear(inputs, units * pieces), 0.005)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs]`` to ``[N, units]``."""
        pieces: Tensor = self.linear(x)
        return pieces.reshape(len(x), -1, self.pieces).amax(dim=2)


def _start_at(layer: nn.Linear, pixel_means: Tensor) -> nn.Linear:
    with torch.no_grad():
        layer.bias.copy_(torch.logit(pixel_means.flatten(), eps=1e-3))
    return layer


class _PictureMlp(nn.Module):
    """Layers from noise to pixels, and what is done to the last one's output."""

    def __init__(
        self, shape: tuple[int, int, int], layers: nn.Sequential, last: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.shape = shape
        self.layers = layers
        self._last = last

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``[N, latent_size]`` to pictures ``[N, C, H, W]``."""
        return self._last(self.layers(z)).reshape(-1, *self.shape)


class MlpGenerator(_PictureMlp):
    """MNIST's: two layers of rectified linear units, then a sigmoid for each pixel."""

    def __init__(
        self, latent_size: int, shape: tuple[int, int, int], hidden: int, pixel_means: Tensor
    ) -> None:
        """Start with an output that is the mean picture.

        Args:
            latent_size: length of the noise vector.
            shape: ``(C, H, W)`` of a picture.
            hidden: units in each of the two hidden layers.
            pixel_means: ``[C, H, W]`` in [0, 1]; the output bias starts at its logit.
        """
        last = _start_at(uniform(nn.Linear(hidden, pixel_means.numel()), 0.05), pixel_means)
        layers = nn.Sequential(
            uniform(nn.Linear(latent_size, hidden), 0.05),
            nn.ReLU(),
            uniform(nn.Linear(hidden, hidden), 0.05),
            nn.ReLU(),
            last,
        )
        super().__init__(shape, layers, torch.sigmoid)


class SigmoidMlpGenerator(_PictureMlp):
    """TFD's and CIFAR-10's: rectified linear units, then sigmoid units, then pixels."""

    def __init__(
        self,
        latent_size: int,
        shape: tuple[int, int, int],
        hidden: int,
        pixel_means: Tensor,
        pixels: Literal["sigmoid", "linear"],
    ) -> None:
        """Set the layers up as published: for TFD with sigmoid pixels, for CIFAR-10 with linear.

        Args:
            latent_size: length of the noise vector.
            shape: ``(C, H, W)`` of a picture.
            hidden: units in each of the two hidden layers.
            pixel_means: ``[C, H, W]`` in [0, 1]; where sigmoid pixels start.
            pixels: what the last layer gives: sigmoids in (0, 1), or any number.
        """
        sigmoids = uniform(nn.Linear(hidden, hidden), 0.05)
        last = nn.Linear(hidden, pixel_means.numel())
        if pixels == "sigmoid":
            nn.init.constant_(sigmoids.bias, -2.0)
            _start_at(_sparse(last, min(100, hidden)), pixel_means)
        else:
            uniform(last, 0.5)
        layers = nn.Sequential(
            uniform(nn.Linear(latent_size, hidden), 0.05), nn.ReLU(), sigmoids, nn.Sigmoid(), last
        )
        super().__init__(shape, layers, torch.sigmoid if pixels == "sigmoid" else nn.Identity())


class StackedGenerator(nn.Module):
    """TFD's second stage: two new layers between the noise and a generator trained before."""

    def __init__(self, latent_size: int, hidden: int, upper: nn.Module, upper_size: int) -> None:
        """Put new layers under ``upper``, which took noise of ``upper_size``; all train on."""
        super().__init__()
        sigmoids = uniform(nn.Linear(hidden, upper_size), 0.05)
        nn.init.constant_(sigmoids.bias, -2.0)
        self.lower = nn.Sequential(
            uniform(nn.Linear(latent_size, hidden), 0.05), nn.ReLU(), sigmoids, nn.Sigmoid()
        )
        self.upper = upper

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``[N, latent_size]`` to pictures ``[N, C, H, W]``."""
        pictures: Tensor = self.upper(self.lower(z))
        return pictures


class MaxoutDiscriminator(nn.Module):
    """Two maxout layers with dropout on the input and on each hidden layer, then one logit."""

    def __init__(
        self,
        inputs: int,
        units: int = 240,
        pieces: int = 5,
        input_dropout: float = 0.2,
        hidden_dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(input_dropout),
            Maxout(inputs, units, pieces),
            nn.Dropout(hidden_dropout),
            Maxout(units, units, pieces),
            nn.Dropout(hidden_dropout),
            uniform(nn.Linear(units, 1), 0.005),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures ``[N, C, H, W]`` to logits ``[N, 1]``."""
        logits: Tensor = self.layers(x)
        return logits


@torch.no_grad()
def clamp_column_norms(network: nn.Module, limit: float) -> None:
    """Scale down the weights into each unit so that their Euclidean norm is at most ``limit``."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            norms = layer.weight.norm(dim=1, keepdim=True)
            layer.weight.mul_(norms.clamp(max=limit) / norms.clamp(min=1e-12))
