"""Random aligned patches for training: batch ``i`` is a pure function of the seed and ``i``."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.game import Batch
from core.picture_files import Pixels
from srgan.cache import PairCache

__all__ = ["PatchSampler", "as_tensor"]

_SHARE_OF_DEVICE = 0.5  # of its free memory, that pictures may take

_Array = npt.NDArray[np.int64]


def as_tensor(patches: list[Pixels]) -> Tensor:
    """Stack pictures of one size, uint8 ``[H, W, 3]``, into float32 ``[N, 3, H, W]`` in [0, 1]."""
    # NHWC bytes seen as NCHW are what torch calls channels_last: no copy is needed later. A turned
    # picture is a view with other strides, which np.stack would keep.
    stacked = np.stack([np.ascontiguousarray(patch) for patch in patches])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float().div_(255)


@dataclass(frozen=True)
class PatchSampler:
    """Draws batches of patch pairs, every pixel of the collection equally likely, in 8 poses.

    With more than one candidate for each patch, one is taken with a probability in proportion to
    its detail: smooth sky, which any interpolation enlarges well, teaches little (Wang et al. 2021,
    "SamplingAug"). Detail is the square of the mean difference of neighbours in the
    low-resolution patch.

    A graphics card that has room for the whole collection holds it, and cuts the patches itself:
    no processor keeps up with a small generator there.

    Attributes:
        pairs: the pictures.
        batch_size: pairs a batch.
        patch: side of a low-resolution patch, in pixels.
        seed: batches with the same seed and index are equal.
        device: that batches are for.
        candidates: places that are drawn for each patch.
    """

    pairs: PairCache
    batch_size: int
    patch: int
    seed: int = 0
    device: torch.device | str = "cpu"
    candidates: int = 1

    @cached_property
    def _pixels(self) -> tuple[Tensor, Tensor]:
        """Pixels of all pictures and of all their twins, uint8 ``[pixels, 3]``."""
        both = (torch.from_numpy(self.pairs.hr_pixels), torch.from_numpy(self.pairs.lr_pixels))
        device = torch.device(self.device)
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if sum(pixels.nbytes for pixels in both) < _SHARE_OF_DEVICE * free:
                return both[0].to(device), both[1].to(device)
        return both

    @cached_property
    def _places(self) -> tuple[_Array, _Array, _Array]:
        """Height, width and first pixel of each low-resolution picture."""
        heights, widths = np.array(self.pairs.lr_shapes, dtype=np.int64).T
        return heights, widths, np.array(self.pairs.firsts, dtype=np.int64)

    def batch(self, index: int) -> Batch:
        """Return HR patches conditioned on LR ones.

        ``real`` is float32 ``[N, 3, scale * P, scale * P]`` and ``cond`` ``[N, 3, P, P]``, both in
        [0, 1].
        """
        random = np.random.default_rng((self.seed, index))
        heights, widths, firsts = self._places
        areas = (heights * widths).astype(np.float64)
        chosen = random.choice(len(areas), self.batch_size * self.candidates, p=areas / areas.sum())
        tops = random.integers(heights[chosen] - self.patch + 1)
        lefts = random.integers(widths[chosen] - self.patch + 1)
        hr, lr = self._pixels
        places = _to(lr.device, firsts[chosen], widths[chosen], tops, lefts)
        if self.candidates > 1:
            places = places[:, self._detailed(places, random)]
        poses = _to(lr.device, random.integers(8, size=self.batch_size))[0]
        scale = self.pairs.scale
        return Batch(
            real=_cut(hr, places, scale, self.patch, poses),
            cond=_cut(lr, places, 1, self.patch, poses),
        )

    def _detailed(self, places: Tensor, random: np.random.Generator) -> Tensor:
        """Return which of the candidates are taken, one for each patch of the batch."""
        upright = torch.zeros_like(places[0])
        grey = _cut(self._pixels[1], places, 1, self.patch, upright).mean(1)
        differences = [grey.diff(dim=axis).abs().mean((1, 2)) for axis in (1, 2)]
        detail = (differences[0] + differences[1]).double().square() + 1e-12
        upto = detail.view(self.batch_size, self.candidates).cumsum(1)
        drawn = _to(places.device, random.random((self.batch_size, 1)))[0]
        within = (upto < drawn * upto[:, -1:]).sum(1)
        return within + self.candidates * torch.arange(self.batch_size, device=places.device)


def _to(device: torch.device, *arrays: npt.NDArray[Any]) -> Tensor:
    """Return arrays of one shape, stacked, on a device, which nobody waits for."""
    return torch.from_numpy(np.stack(arrays)).to(device, non_blocking=True)


def _cut(pixels: Tensor, places: Tensor, scale: int, patch: int, poses: Tensor) -> Tensor:
    """Return square patches, float32 ``[N, 3, scale * patch, scale * patch]`` in [0, 1].

    All on one device, so that a graphics card is waited for by nobody.

    Args:
        pixels: of all pictures, uint8 ``[pixels, 3]``, ``scale`` times as large as places say.
        places: int64 ``[4, N]``, in low-resolution pixels: of the picture that a patch lies in its
            first pixel and its width, and where in it the patch begins, from above and from left.
        scale: of ``pixels`` over the low resolution.
        patch: side of a low-resolution patch.
        poses: int64 ``[N]``, 0 to 7; one bit each for upside down, mirrored, and rows for columns.
    """
    side = patch * scale
    first, width, top, left = places * scale
    corner = first * scale + top * width + left
    upside, mirrored, turned = ((poses & bit) != 0 for bit in (1, 2, 4))
    start = corner + (side - 1) * (torch.where(upside, width, 0) + mirrored)
    rows, columns = torch.where(upside, -width, width), 1 - 2 * mirrored.long()
    down, right = torch.where(turned, columns, rows), torch.where(turned, rows, columns)
    along = torch.arange(side, device=pixels.device)
    steps = (down[:, None] * along)[:, :, None] + (right[:, None] * along)[:, None]
    where = start[:, None, None] + steps
    # NHWC bytes seen as NCHW are what torch calls channels_last: no copy is needed later.
    patches = pixels.index_select(0, where.flatten()).view(*where.shape, 3)
    return patches.permute(0, 3, 1, 2).float().div_(255)
