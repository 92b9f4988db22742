"""How far a picture is from the one it should be: PSNR and SSIM, on luma and on RGB."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["crop_border", "luma", "psnr", "psnr_y", "quantise", "ssim"]


def quantise(picture: Tensor) -> Tensor:
    """Round values in [0, 1] to the 256 levels of a file; float64, still in [0, 1]."""
    return picture.double().clamp(0, 1).mul(255).round() / 255


def luma(picture: Tensor) -> Tensor:
    """Return Y of ITU-R BT.601 in studio range, as MATLAB's ``rgb2ycbcr`` gives it, unrounded.

    Args:
        picture: RGB ``[N, 3, H, W]`` in [0, 1].

    Returns:
        ``[N, 1, H, W]`` in [16 / 255, 235 / 255].
    """
    weights = picture.new_tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1)
    return ((picture * weights).sum(dim=1, keepdim=True) + 16) / 255


def crop_border(picture: Tensor, border: int) -> Tensor:
    """Take ``border`` pixels off each side of ``[..., H, W]``.

    Raises:
        ValueError: if nothing would be left.
    """
    if border == 0:
        return picture
    if min(picture.shape[-2:]) <= 2 * border:
        raise ValueError(
            f"a picture of {picture.shape[-1]}x{picture.shape[-2]} has no pixels left without a "
            f"border of {border}"
        )
    return picture[..., border:-border, border:-border]


def psnr(picture: Tensor, reference: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, for values in [0, 1]; infinite for equal pictures."""
    error = (picture.double() - reference.double()).square().mean()
    return float(-10 * torch.log10(error))


def psnr_y(picture: Tensor, reference: Tensor, border: int) -> float:
    """PSNR in dB as published: of luma, of pictures rounded to a file's levels, without a border.

    Args:
        picture: RGB ``[N, 3, H, W]``, in [0, 1] but for what is clipped.
        reference: likewise.
        border: pixels to take off each side.

    Raises:
        ValueError: if nothing would be left.
    """
    return psnr(*(luma(crop_border(quantise(each), border)) for each in (picture, reference)))


def _gaussian(size: int = 11, sigma: float = 1.5) -> Tensor:
    offsets = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    bell = torch.exp(-(offsets**2) / (2 * sigma**2))
    return bell / bell.sum()


def ssim(picture: Tensor, reference: Tensor) -> float:
    """Structural similarity (Wang et al. 2004), the mean over channels; 1 for equal pictures.

    An 11x11 Gaussian window of sigma 1.5, positions where it fits whole, K1 = 0.01, K2 = 0.03.

    Args:
        picture: ``[N, C, H, W]`` in [0, 1], sides of at least 11.
        reference: likewise.

    Raises:
        ValueError: if a side is shorter than the window.
    """
    if min(picture.shape[-2:]) < 11:
        raise ValueError(f"ssim needs sides of at least 11 pixels, not {tuple(picture.shape[-2:])}")
    x, y = picture.double(), reference.double()
    channels = x.shape[1]
    bell = _gaussian().to(x.device)
    column = bell.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    row = bell.view(1, 1, 1, -1).expand(channels, 1, 1, -1)

    def blur(z: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(z, column, groups=channels), row, groups=channels)

    mean_x, mean_y = blur(x), blur(y)
    variance_x = blur(x * x) - mean_x**2
    variance_y = blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    )
    return float(similarity.mean())
