"""Random aligned patches for training: batch ``i`` is a pure function of the seed and ``i``."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.game import Batch
from srgan.cache import PairCache, Pixels

__all__ = ["PatchSampler", "as_tensor"]


def as_tensor(patches: list[Pixels]) -> Tensor:
    """Stack pictures of one size, uint8 ``[H, W, 3]``, into float32 ``[N, 3, H, W]`` in [0, 1]."""
    # NHWC bytes seen as NCHW are what torch calls channels_last: no copy is needed later. Turned
    # patches are views with other strides, which np.stack would keep.
    stacked = np.stack([np.ascontiguousarray(patch) for patch in patches])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float().div_(255)


@dataclass(frozen=True)
class PatchSampler:
    """Draws batches of patch pairs, every pixel of the collection equally likely, in 8 poses.

    Attributes:
        pairs: the pictures.
        batch_size: pairs a batch.
        patch: side of a low-resolution patch, in pixels.
        seed: batches with the same seed and index are equal.
    """

    pairs: PairCache
    batch_size: int
    patch: int
    seed: int = 0

    def batch(self, index: int) -> Batch:
        """Return HR patches conditioned on LR ones.

        ``real`` is float32 ``[N, 3, scale * P, scale * P]`` and ``cond`` ``[N, 3, P, P]``, both in
        [0, 1].
        """
        random = np.random.default_rng((self.seed, index))
        areas = np.array([lr.shape[0] * lr.shape[1] for lr in self.pairs.lr], dtype=np.float64)
        chosen = random.choice(len(areas), self.batch_size, p=areas / areas.sum())
        side, scale = self.patch, self.pairs.scale
        lr_patches: list[Pixels] = []
        hr_patches: list[Pixels] = []
        for which in chosen:
            lr, hr = self.pairs.lr[which], self.pairs.hr[which]
            top = int(random.integers(lr.shape[0] - side + 1))
            left = int(random.integers(lr.shape[1] - side + 1))
            turns, mirror = int(random.integers(4)), bool(random.integers(2))
            for picture, step, patches in ((lr, 1, lr_patches), (hr, scale, hr_patches)):
                rows = slice(top * step, (top + side) * step)
                columns = slice(left * step, (left + side) * step)
                patch = np.rot90(picture[rows, columns], turns)
                patches.append(patch[:, ::-1] if mirror else patch)
        return Batch(real=as_tensor(hr_patches), cond=as_tensor(lr_patches))
