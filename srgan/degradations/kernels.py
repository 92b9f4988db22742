"""Blur kernels of Real-ESRGAN (Wang et al. 2021, section 3.2 and 3.3), a batch at a time."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["anisotropic", "cropped", "gaussian", "generalised_gaussian", "plateau", "sinc"]


def _distances(size: int, sigma_x: Tensor, sigma_y: Tensor, angle: Tensor) -> Tensor:
    """Return the squared Mahalanobis distance of each tap from the middle: ``[N, size, size]``.

    Args:
        size: odd side of the kernel.
        sigma_x: ``[N]`` standard deviations along the first axis, in pixels.
        sigma_y: likewise along the second.
        angle: ``[N]`` of the first axis, in radians.
    """
    offsets = torch.arange(size, dtype=torch.float32, device=sigma_x.device) - size // 2
    y, x = torch.meshgrid(offsets, offsets, indexing="ij")
    cosine, sine = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    along = (cosine * x + sine * y) / sigma_x.view(-1, 1, 1)
    across = (cosine * y - sine * x) / sigma_y.view(-1, 1, 1)
    return along.square() + across.square()


def _unit_sum(kernel: Tensor) -> Tensor:
    return kernel / kernel.sum(dim=(1, 2), keepdim=True)


def cropped(kernel: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return kernels ``[N, size, size]`` with sides of their own within it, summing to 1 again."""
    middle = kernel.shape[-1] // 2
    reach = torch.tensor(sizes, device=kernel.device) // 2
    offsets = (torch.arange(kernel.shape[-1], device=kernel.device) - middle).abs()
    within = offsets <= reach.view(-1, 1)
    return _unit_sum(kernel * within[:, :, None] * within[:, None, :])


def gaussian(size: int, sigma: Tensor) -> Tensor:
    """Return isotropic Gaussians: ``[N, size, size]`` from ``[N]`` standard deviations."""
    return anisotropic(size, sigma, sigma, torch.zeros_like(sigma))


def anisotropic(size: int, sigma_x: Tensor, sigma_y: Tensor, angle: Tensor) -> Tensor:
    """Return Gaussians with two axes of their own, turned by ``angle`` radians."""
    return _unit_sum(torch.exp(-0.5 * _distances(size, sigma_x, sigma_y, angle)))


def generalised_gaussian(
    size: int, sigma_x: Tensor, sigma_y: Tensor, angle: Tensor, beta: Tensor
) -> Tensor:
    """Return ``exp(-d ** beta / 2)``, d the squared distance: peaked below 1, flat-topped above."""
    distances = _distances(size, sigma_x, sigma_y, angle)
    return _unit_sum(torch.exp(-0.5 * distances.pow(beta.view(-1, 1, 1))))


def plateau(size: int, sigma_x: Tensor, sigma_y: Tensor, angle: Tensor, beta: Tensor) -> Tensor:
    """Return ``1 / (1 + d ** beta)``, d the squared distance: a plateau with long tails."""
    distances = _distances(size, sigma_x, sigma_y, angle)
    return _unit_sum(1 / (1 + distances.pow(beta.view(-1, 1, 1))))


def sinc(size: int, cutoff: Tensor) -> Tensor:
    """Return ideal circular low-passes, which ring at edges: ``[N, size, size]``.

    Args:
        size: odd side of the kernel.
        cutoff: ``[N]`` cut-off frequencies in radians a pixel, above 0 and up to pi.
    """
    offsets = torch.arange(size, dtype=torch.float64, device=cutoff.device) - size // 2
    radius = torch.hypot(offsets[:, None], offsets[None, :])
    omega = cutoff.double().view(-1, 1, 1)
    at_zero = (omega.square() / (4 * math.pi)).expand(-1, size, size)
    safe = radius.clamp(min=1.0)  # the middle alone is below 1, and is replaced
    ringing = omega * torch.special.bessel_j1(omega * safe) / (2 * math.pi * safe)
    return _unit_sum(torch.where(radius == 0, at_zero, ringing)).float()
