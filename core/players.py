"""The two players by name: everything that is needed to build them again."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from core.command import UserError
from core.conditional import ClassDiscriminator, ClassGame, ClassGenerator
from core.contrast import Contrasted
from core.game import Noise, NoiseGame
from core.networks.dcgan import DcganDiscriminator, DcganGenerator
from core.networks.dense import DenseDiscriminator, DenseGenerator
from core.networks.maxout_convolutional import (
    DeconvolutionGenerator,
    MaxoutConvolutionalDiscriminator,
)
from core.networks.mlp import (
    MaxoutDiscriminator,
    MlpGenerator,
    SigmoidMlpGenerator,
    StackedGenerator,
)
from core.networks.residual import ResidualDiscriminator, ResidualGenerator

__all__ = ["NetworkName", "PlayerSpec"]

NetworkName = Literal[
    "maxout",
    "maxout-sigmoid",
    "maxout-stacked",
    "maxout-convolutional",
    "dense",
    "dcgan",
    "residual",
]

_CONVOLUTIONAL = frozenset({"maxout-convolutional", "dcgan", "residual"})


@dataclass(frozen=True)
class PlayerSpec:
    """A pair of networks.

    Attributes:
        networks: which pair.
        shape: ``(C, H, W)`` of a picture.
        width: hidden units of the generator, or its channels at full resolution.
        discriminator_width: the same of the discriminator.
        latent_size: length of the noise vector.
        noise: its distribution.
        classes: how many classes both players are told; 0 for none.
        equal_contrast: the players work on numbers of mean 0 and variance 1 a picture.
        spectral_norm: divide each of the discriminator's weights by its spectral norm (Miyato et
            al. 2018).
    """

    networks: NetworkName
    shape: tuple[int, int, int]
    width: int
    discriminator_width: int
    latent_size: int = 100
    noise: Noise = "gaussian"
    classes: int = 0
    equal_contrast: bool = False
    spectral_norm: bool = False

    def __post_init__(self) -> None:
        if self.networks in _CONVOLUTIONAL and self.shape[1] != self.shape[2]:
            raise UserError(f"--networks {self.networks} makes square pictures, not {self.shape}")
        if self.networks == "maxout-convolutional" and self.shape != (3, 32, 32):
            raise UserError(
                "--networks maxout-convolutional makes pictures of 3 x 32 x 32, not of "
                + " x ".join(map(str, self.shape))
            )

    def build_game(self, pixel_means: Tensor) -> NoiseGame:
        """Return both players with fresh weights, in a game.

        Args:
            pixel_means: ``[C, H, W]`` in [0, 1], where some generators start.

        Raises:
            UserError: if these networks cannot make pictures of that shape.
        """
        game = ClassGame if self.classes else NoiseGame
        try:
            generator = self.build_generator(pixel_means)
            return game(generator, self._discriminator(), self.latent_size, self.noise)
        except ValueError as error:
            raise UserError(f"--networks {self.networks}: {error}") from error

    def build_generator(self, pixel_means: Tensor | None = None) -> nn.Module:
        """Return a generator with fresh weights."""
        means = torch.full(self.shape, 0.5) if pixel_means is None else pixel_means
        network = self._generator(self.latent_size + self.classes, means)
        if self.equal_contrast:
            network = Contrasted(network, gives=True)
        return ClassGenerator(network, self.classes) if self.classes else network

    def _generator(self, inputs: int, means: Tensor) -> nn.Module:
        pixels: Literal["linear", "sigmoid"] = "linear" if self.equal_contrast else "sigmoid"
        match self.networks:
            case "maxout":
                return MlpGenerator(inputs, self.shape, self.width, means)
            case "maxout-sigmoid":
                return SigmoidMlpGenerator(inputs, self.shape, self.width, means, pixels)
            case "maxout-stacked":
                upper = SigmoidMlpGenerator(self.latent_size, self.shape, self.width, means, pixels)
                return StackedGenerator(inputs, self.width, upper, self.latent_size)
            case "maxout-convolutional":
                return DeconvolutionGenerator(inputs)
            case "dense":
                return DenseGenerator(inputs, self.shape, self.width, means)
            case "dcgan":
                return DcganGenerator(inputs, self.shape, self.width)
            case "residual":
                return ResidualGenerator(inputs, self.shape, self.width)

    def _discriminator(self) -> nn.Module:
        planes = self.networks in _CONVOLUTIONAL
        channels, height, width = self.shape
        inputs = channels + self.classes if planes else channels * height * width + self.classes
        network: nn.Module
        match self.networks:
            case "maxout" | "maxout-sigmoid" | "maxout-stacked":
                network = MaxoutDiscriminator(inputs, self.discriminator_width)
            case "maxout-convolutional":
                network = MaxoutConvolutionalDiscriminator(inputs)
            case "dense":
                network = DenseDiscriminator(inputs, self.discriminator_width)
            case "dcgan":
                network = DcganDiscriminator(
                    inputs, height, self.discriminator_width, batch_norm=not self.spectral_norm
                )
            case "residual":
                network = ResidualDiscriminator(inputs, height, self.discriminator_width)
        if self.spectral_norm:
            for layer in network.modules():
                if isinstance(layer, (nn.Linear, nn.Conv2d)):
                    spectral_norm(layer)
        if self.equal_contrast:
            network = Contrasted(network, gives=False)
        return ClassDiscriminator(network, self.classes, planes=planes) if self.classes else network
