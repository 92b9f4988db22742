"""Random aligned patches for training: batch ``i`` is a pure function of the seed and ``i``."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.game import Batch
from srgan.cache import PairCache, Pixels

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
        drawn = self.batch_size * self.candidates
        chosen = random.choice(len(areas), drawn, p=areas / areas.sum())
        tops = random.integers(heights[chosen] - self.patch + 1)
        lefts = random.integers(widths[chosen] - self.patch + 1)
        if self.candidates > 1:
            corners = firsts[chosen] + tops * widths[chosen] + lefts
            taken = self._detailed(corners, widths[chosen], random)
            chosen, tops, lefts = chosen[taken], tops[taken], lefts[taken]
        poses = random.integers(8, size=self.batch_size)

        def patches(pixels: Tensor, scale: int) -> Tensor:
            width = widths[chosen] * scale
            corner = firsts[chosen] * scale**2 + tops * scale * width + lefts * scale
            return _cut(pixels, corner, width, self.patch * scale, poses)

        hr, lr = self._pixels
        return Batch(real=patches(hr, self.pairs.scale), cond=patches(lr, 1))

    def _detailed(self, corners: _Array, widths: _Array, random: np.random.Generator) -> _Array:
        """Return which of the candidates are taken, one for each patch of the batch."""
        poses = np.zeros_like(corners)
        grey = _cut(self._pixels[1], corners, widths, self.patch, poses).mean(1)
        differences = sum(grey.diff(dim=axis).abs().mean((1, 2)) for axis in (1, 2))
        detail = torch.as_tensor(differences).double().square().cpu().numpy() + 1e-12
        upto = detail.reshape(self.batch_size, self.candidates).cumsum(axis=1)
        within = upto < random.random((self.batch_size, 1)) * upto[:, -1:]
        taken: _Array = within.sum(axis=1) + self.candidates * np.arange(self.batch_size)
        return taken


def _cut(pixels: Tensor, corners: _Array, widths: _Array, side: int, poses: _Array) -> Tensor:
    """Return square patches, float32 ``[N, 3, side, side]`` in [0, 1].

    Args:
        pixels: of all pictures, uint8 ``[pixels, 3]``.
        corners: the first pixel of each patch.
        widths: of the picture that each patch lies in.
        side: of a patch.
        poses: 0 to 7; one bit each for upside down, mirrored, and rows for columns.
    """
    upside, mirrored, turned = ((poses & bit) != 0 for bit in (1, 2, 4))
    starts = corners + (side - 1) * (np.where(upside, widths, 0) + mirrored)
    rows, columns = np.where(upside, -widths, widths), np.where(mirrored, -1, 1)
    steps = np.where(turned, (columns, rows), (rows, columns))
    start, down, right = torch.from_numpy(np.stack([starts, *steps])).to(pixels.device)[..., None]
    along = torch.arange(side, device=pixels.device)
    where = (start + down * along)[:, :, None] + (right * along)[:, None]
    # NHWC bytes seen as NCHW are what torch calls channels_last: no copy is needed later.
    patches = pixels.index_select(0, where.flatten()).view(*where.shape, 3)
    return patches.permute(0, 3, 1, 2).float().div_(255)
