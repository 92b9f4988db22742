"""NIQE: how far a picture's statistics are from those of clean photographs (Mittal et al. 2013).

It needs no original. The statistics of clean photographs are a Gaussian in 36 dimensions, the
*pristine model*. The one that comes with this project was fitted by ``python -m srgan.fit_niqe``;
figures in papers were made with the model that the authors of NIQE published, and only figures
made with the same model can be compared.
"""

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.command import UserError
from core.files import appearing
from srgan.metrics import luma
from srgan.resize import imresize

__all__ = ["OWN_MODEL", "PristineModel", "block_features", "fit_asymmetric_gaussian", "niqe"]

OWN_MODEL = Path(__file__).parent / "weights" / "niqe.npz"
_BLOCK = 96  # side, pixels
_FEATURES = 36
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # across, down, and both diagonals


@dataclass(frozen=True)
class PristineModel:
    """The Gaussian that blocks of clean photographs follow.

    Attributes:
        mean: float64 ``[36]``.
        covariance: float64 ``[36, 36]``.
    """

    mean: Tensor
    covariance: Tensor

    @classmethod
    def load(cls, path: Path = OWN_MODEL) -> "PristineModel":
        """Read an ``.npz`` file with the names that the published model has there.

        Raises:
            UserError: if the file holds no such model.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                mean = torch.from_numpy(file["mu_pris_param"]).double().flatten()
                covariance = torch.from_numpy(file["cov_pris_param"]).double()
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise UserError(f"{path} cannot be read as a pristine model: {error}") from error
        if mean.shape != (_FEATURES,) or covariance.shape != (_FEATURES, _FEATURES):
            raise UserError(
                f"{path} must hold {_FEATURES} means and their covariance, not "
                f"{list(mean.shape)} and {list(covariance.shape)}"
            )
        return cls(mean, covariance)

    def save(self, path: Path) -> None:
        """Write what :meth:`load` reads, atomically."""
        with appearing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                mu_pris_param=self.mean.numpy()[None],
                cov_pris_param=self.covariance.numpy(),
            )


@lru_cache(maxsize=1)
def _shapes() -> tuple[Tensor, Tensor]:
    """Return shapes of a generalised Gaussian, and what (E|x|)^2 / E x^2 is for each."""
    shape = torch.arange(200, 10_001, dtype=torch.float64) / 1000
    log_ratio = 2 * torch.lgamma(2 / shape) - torch.lgamma(1 / shape) - torch.lgamma(3 / shape)
    return shape, log_ratio.exp()


def fit_asymmetric_gaussian(samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Fit an asymmetric generalised Gaussian by its moments (Lasmar et al. 2009).

    Its density is proportional to ``exp(-(-x / left) ** shape)`` below zero, and to
    ``exp(-(x / right) ** shape)`` above.

    Args:
        samples: float64 ``[B, N]``.

    Returns:
        Shape, left and right, each ``[B]``; NaN for samples that are all alike.
    """
    squares = samples.square()
    below, above = samples < 0, samples > 0
    left = ((squares * below).sum(dim=1) / below.sum(dim=1)).sqrt()
    right = ((squares * above).sum(dim=1) / above.sum(dim=1)).sqrt()
    skew = left / right
    ratio = samples.abs().mean(dim=1).square() / squares.mean(dim=1)
    ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1).square()
    shapes, ratios = _shapes()
    shape = shapes[(ratios - ratio[:, None]).abs().argmin(dim=1)]
    width = (0.5 * (torch.lgamma(1 / shape) - torch.lgamma(3 / shape))).exp()
    return shape, left * width, right * width


def _features(blocks: Tensor) -> Tensor:
    """18 features of each of ``[B, side, side]``: the coefficients' and their products' shapes."""
    shape, left, right = fit_asymmetric_gaussian(blocks.flatten(1))
    features = [shape, (left + right) / 2]
    for shift in _NEIGHBOURS:
        product = blocks * blocks.roll(shift, dims=(1, 2))
        shape, left, right = fit_asymmetric_gaussian(product.flatten(1))
        mean = (right - left) * (torch.lgamma(2 / shape) - torch.lgamma(1 / shape)).exp()
        features += [shape, mean, left, right]
    return torch.stack(features, dim=1)


def _normalise(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Subtract the local mean and divide by the local deviation, which is returned too."""
    taps = torch.exp(-((torch.arange(7, dtype=torch.float64) - 3) ** 2) / (2 * (7 / 6) ** 2))
    window = torch.outer(taps, taps)[None, None] / taps.sum() ** 2

    def blur(x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x[None, None], (3, 3, 3, 3), mode="replicate"), window)[0, 0]

    mean = blur(grey)
    deviation = (blur(grey.square()) - mean.square()).abs().sqrt()
    return (grey - mean) / (deviation + 1), deviation


def _cut(plane: Tensor, side: int) -> Tensor:
    """Cut ``[H, W]``, sides multiples of ``side``, into ``[B, side, side]``."""
    blocks = plane.unfold(0, side, side).unfold(1, side, side)
    return blocks.reshape(-1, side, side)


def block_features(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Describe each whole block of 96x96 pixels, at full and at half size.

    Args:
        picture: RGB ``[1, 3, H, W]`` in [0, 1].

    Returns:
        float64 ``[B, 36]``, NaN where a block is flat, and the mean local deviation ``[B]`` (grey
        levels of 255), which says how sharp a block is. B is 0 where no block fits.
    """
    grey = (luma(picture.double()) * 255).round()[0, 0]
    height, width = (side // _BLOCK * _BLOCK for side in grey.shape)
    grey = grey[:height, :width]
    if grey.numel() == 0:
        return grey.new_zeros(0, _FEATURES), grey.new_zeros(0)
    normalised, deviation = _normalise(grey)
    halved, _ = _normalise(imresize(grey, 0.5))
    features = [_features(_cut(normalised, _BLOCK)), _features(_cut(halved, _BLOCK // 2))]
    return torch.cat(features, dim=1), _cut(deviation, _BLOCK).mean(dim=(1, 2))


def niqe(picture: Tensor, model: PristineModel) -> float:
    """Return the distance from the pristine model; lower is more natural.

    Args:
        picture: RGB ``[1, 3, H, W]`` in [0, 1].
        model: of clean photographs.

    Returns:
        Not negative; NaN for a picture with fewer than two blocks of 96x96 pixels that are not
        flat.
    """
    features, _ = block_features(picture)
    whole = features[features.isfinite().all(dim=1)]
    if len(whole) < 2:
        return float("nan")
    difference = model.mean - features.nanmean(dim=0)
    pooled = (model.covariance + torch.cov(whole.T)) / 2
    return float((difference @ torch.linalg.pinv(pooled) @ difference).clamp_min(0).sqrt())
