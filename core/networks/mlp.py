"""The fully connected players of Goodfellow et al. 2014, as its published code sets them."""

import torch
from torch import Tensor, nn

__all__ = ["Maxout", "MaxoutDiscriminator", "MlpGenerator", "clamp_column_norms"]


def _uniform(layer: nn.Linear, bound: float) -> nn.Linear:
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.zeros_(layer.bias)
    return layer


class Maxout(nn.Module):
    """A layer whose units are the largest of several linear pieces (Goodfellow et al. 2013)."""

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = _uniform(nn.Linear(inputs, units * pieces), 0.005)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs]`` to ``[N, units]``."""
        pieces: Tensor = self.linear(x)
        return pieces.reshape(len(x), -1, self.pieces).amax(dim=2)


class MlpGenerator(nn.Module):
    """Noise to pictures: two layers of rectified linear units, then a sigmoid for each pixel."""

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
        super().__init__()
        self.shape = shape
        last = _uniform(nn.Linear(hidden, pixel_means.numel()), 0.05)
        with torch.no_grad():
            last.bias.copy_(torch.logit(pixel_means.flatten(), eps=1e-3))
        self.layers = nn.Sequential(
            _uniform(nn.Linear(latent_size, hidden), 0.05),
            nn.ReLU(),
            _uniform(nn.Linear(hidden, hidden), 0.05),
            nn.ReLU(),
            last,
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``[N, latent_size]`` to pictures ``[N, C, H, W]`` in (0, 1)."""
        pixels: Tensor = torch.sigmoid(self.layers(z))
        return pixels.reshape(-1, *self.shape)


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
            _uniform(nn.Linear(units, 1), 0.005),
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
