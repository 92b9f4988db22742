"""LPIPS: how different two pictures look to a network (Zhang et al. 2018), AlexNet trunk."""

import warnings

import torch
from torch import Tensor, nn

from core.command import UserError

__all__ = ["LPIPS"]


class LPIPS(nn.Module):
    """The distance as papers report it, frozen; 0 for equal pictures, lower is closer.

    Its linear weights are installed with torchmetrics, the trunk's are downloaded once.
    """

    def __init__(self) -> None:
        """Read the weights.

        Raises:
            UserError: if the trunk's cannot be had.
        """
        super().__init__()
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
        from torchvision.models import AlexNet_Weights

        file = AlexNet_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # torchmetrics reads its own weights
                self._metric = LearnedPerceptualImagePatchSimilarity("alex", normalize=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: a digest that does not match
            raise UserError(
                f"LPIPS needs AlexNet's weights, which cannot be downloaded ({error}); put {file} "
                f"into {torch.hub.get_dir()}/checkpoints"
            ) from error

    def forward(self, picture: Tensor, reference: Tensor) -> Tensor:
        """Return the mean distance of the pairs.

        Args:
            picture: RGB ``[N, 3, H, W]`` in [0, 1], sides of at least 32.
            reference: likewise.
        """
        distance: Tensor = self._metric(picture, reference)
        return distance
