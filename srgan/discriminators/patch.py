"""A discriminator that judges overlapping patches (Isola et al. 2017), cheap at full size."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["PatchDiscriminator"]


class PatchDiscriminator(nn.Module):
    """Spectrally normalised convolutions on a pixel-unshuffled picture: a logit for each patch.

    At full size the discriminator is the greatest cost of a step; folding each 4x4 square of pixels
    into channels first keeps all of the picture and leaves a sixteenth of the positions.
    """

    def __init__(
        self, channels: int = 3, width: int = 64, layers: int = 4, unshuffle: int = 4
    ) -> None:
        """Build it for pictures of ``channels`` channels whose sides ``unshuffle`` divides.

        Raises:
            ValueError: if ``layers`` or ``unshuffle`` is not positive.
        """
        super().__init__()
        if layers < 1 or unshuffle < 1:
            raise ValueError(f"layers and unshuffle must be positive, not {layers}, {unshuffle}")
        self.unshuffle = unshuffle
        stack: list[nn.Module] = []
        inputs = channels * unshuffle**2
        for layer in range(layers):
            outputs = width * min(2**layer, 4)
            stride = 2 if layer == layers // 2 else 1
            stack += [
                spectral_norm(nn.Conv2d(inputs, outputs, 3, stride, padding=1)),
                nn.LeakyReLU(0.2),
            ]
            inputs = outputs
        stack.append(nn.Conv2d(inputs, 1, 3, padding=1))
        self.layers = nn.Sequential(*stack)

    def forward(self, picture: Tensor) -> Tensor:
        """Map pictures ``[N, channels, H, W]`` to logits ``[N, 1, h, w]``, one for each patch."""
        logits: Tensor = self.layers(F.pixel_unshuffle(picture, self.unshuffle))
        return logits
