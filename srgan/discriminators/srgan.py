"""The discriminator of SRGAN (Ledig et al. 2017, figure 4)."""

from torch import Tensor, nn

__all__ = ["SRGANDiscriminator"]


class SRGANDiscriminator(nn.Module):
    """Eight 3x3 convolutions from ``width`` to ``8 * width`` channels, halving the side four times.

    Two dense layers end it in one logit, so it is made for one picture size.
    """

    def __init__(self, size: int, channels: int = 3, width: int = 64, dense: int = 1024) -> None:
        """Build it for pictures of ``size`` x ``size``; the defaults are the paper's.

        Raises:
            ValueError: if ``size`` is not a multiple of 16.
        """
        super().__init__()
        if size < 16 or size % 16:
            raise ValueError(
                f"the discriminator's picture size must be a multiple of 16, not {size}"
            )
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
        inputs = width
        for stage in range(4):
            wider = width * 2**stage
            if stage:
                layers += self._block(inputs, wider, stride=1)
                inputs = wider
            layers += self._block(inputs, inputs, stride=2)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(inputs * (size // 16) ** 2, dense),
            nn.LeakyReLU(0.2),
            nn.Linear(dense, 1),
        )

    @staticmethod
    def _block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2),
        ]

    def forward(self, hr: Tensor) -> Tensor:
        """Map pictures ``[N, channels, size, size]`` in [0, 1] to logits ``[N, 1]``."""
        logits: Tensor = self.classifier(self.features(hr))
        return logits
