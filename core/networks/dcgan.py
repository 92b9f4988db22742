"""The convolutional players of DCGAN (Radford et al. 2016), for any side that halves to 4..7."""

from torch import Tensor, nn

__all__ = ["DcganDiscriminator", "DcganGenerator", "halvings"]


def halvings(side: int) -> tuple[int, int]:
    """Return how often a side is halved, and the side from 4 to 7 that is left.

    Raises:
        ValueError: if it does not come down to such a side.
    """
    count, left = 0, side
    while left > 7 and left % 2 == 0:
        count, left = count + 1, left // 2
    if not (4 <= left <= 7 and count):
        raise ValueError(f"a side of {side} does not come down to one from 4 to 7 by halving")
    return count, left


def _as_published(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)


class DcganGenerator(nn.Module):
    """Transposed convolutions of stride 2 with batch normalisation, from noise to pixels."""

    def __init__(self, latent_size: int, shape: tuple[int, int, int], width: int) -> None:
        """Make pictures of ``shape``; the last hidden layer has ``width`` channels."""
        super().__init__()
        count, first = halvings(shape[1])
        channels = width * 2 ** (count - 1)
        layers: list[nn.Module] = [
            nn.Unflatten(1, (latent_size, 1, 1)),
            nn.ConvTranspose2d(latent_size, channels, first, bias=False),
        ]
        for _ in range(count - 1):
            layers += [
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1, bias=False),
            ]
            channels //= 2
        layers += [
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, shape[0], 4, stride=2, padding=1),
            nn.Tanh(),
        ]
        self.layers = nn.Sequential(*layers)
        _as_published(self)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``[N, latent_size]`` to pictures ``[N, C, H, W]`` in (0, 1)."""
        pixels: Tensor = self.layers(z)
        return 0.5 * (pixels + 1)


class DcganDiscriminator(nn.Module):
    """Convolutions of stride 2 with leaky rectified linear units, then one logit."""

    def __init__(self, channels: int, side: int, width: int, *, batch_norm: bool) -> None:
        """Take square pictures; the first layer has ``width`` channels."""
        super().__init__()
        count, last = halvings(side)
        layers: list[nn.Module] = []
        inputs = channels
        for number in range(count):
            outputs = width * 2**number
            normalised = batch_norm and number > 0
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not normalised))
            if normalised:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2))
            inputs = outputs
        layers += [nn.Conv2d(inputs, 1, last), nn.Flatten()]
        self.layers = nn.Sequential(*layers)
        _as_published(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures ``[N, C, H, W]`` in [0, 1] to logits ``[N, 1]``."""
        logits: Tensor = self.layers(2 * x - 1)
        return logits
