"""Where to look: of each set, the places on which the models disagree most."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from srgan.evaluation.sets import Pair, Sample
from srgan.metrics import luma, quantise
from srgan.upscalers import open_upscaler

__all__ = ["Crop", "CropChooser", "most_disputed"]

_SIDE = 128  # of a crop, output pixels
_PER_SET = 4
_STEP = 8  # places are tried at multiples of this


@dataclass(frozen=True)
class Crop:
    """One place of one picture.

    Attributes:
        picture: its file's name.
        left: of the place in the output, pixels.
        top: likewise.
        versions: what is seen there, by title, uint8 ``[H, W, 3]``: the original where there is
            one, bicubic, and each model.
    """

    picture: str
    left: int
    top: int
    versions: Mapping[str, Tensor]


def most_disputed(pictures: Tensor, side: int = _SIDE) -> tuple[float, int, int]:
    """Find the square on which pictures of the same thing differ most.

    Args:
        pictures: RGB ``[N, 3, H, W]`` in [0, 1].
        side: of the square; the picture's where that is smaller.

    Returns:
        The root of the mean variance of luma there, and the square's left and top.
    """
    variance = luma(pictures).var(dim=0, correction=0)[None]
    window = [min(side, length) for length in variance.shape[-2:]]
    means = F.avg_pool2d(variance, window, stride=_STEP)[0, 0]
    best = int(means.argmax())
    top, left = divmod(best, means.shape[1])
    return float(means.max().sqrt()), left * _STEP, top * _STEP


class CropChooser:
    """Watches a set being scored and keeps the most disputed crop of its most disputed pictures."""

    def __init__(self, scale: int) -> None:
        """Expect upscalers of this scale."""
        self._bicubic = open_upscaler("bicubic", scale)
        self._kept: list[tuple[float, int, Crop]] = []
        self._seen = 0

    def watch(self, sample: Sample, upscaled: Mapping[str, Tensor]) -> None:
        """Consider what the models made of one picture, by name, ``[1, 3, H, W]`` in [0, 1].

        Two models or more are compared with each other, one with bicubic, and bicubic alone with
        the original.
        """
        bicubic = quantise(self._bicubic.run(sample.lr))
        models = {name: picture for name, picture in upscaled.items() if name != "bicubic"}
        compared = [*models.values()] if len(models) > 1 else [bicubic, *models.values()]
        if len(compared) == 1 and isinstance(sample, Pair):
            compared.append(sample.hr.double())
        strength, left, top = most_disputed(torch.cat(compared))
        if len(self._kept) == _PER_SET and strength <= self._kept[0][0]:
            return
        original = {"original": sample.hr} if isinstance(sample, Pair) else {}
        versions = {
            title: _cut(picture, left, top)
            for title, picture in {**original, "bicubic": bicubic, **models}.items()
        }
        # The count breaks ties, since crops cannot be compared.
        heapq.heappush(self._kept, (strength, -self._seen, Crop(sample.name, left, top, versions)))
        self._seen += 1
        if len(self._kept) > _PER_SET:
            heapq.heappop(self._kept)

    def crops(self) -> list[Crop]:
        """Return the crops kept, the most disputed first."""
        return [crop for _, _, crop in sorted(self._kept, reverse=True)]


def _cut(picture: Tensor, left: int, top: int) -> Tensor:
    square = picture[0, :, top : top + _SIDE, left : left + _SIDE]
    return square.mul(255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
