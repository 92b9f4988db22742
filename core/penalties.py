"""Regularisers of the discriminator, as terms of its phase.

They are computed in single precision whatever the rest runs in, since second derivatives lose too
much in bf16, and a sample's gradient is flattened before its norm is taken, so that its shape and
the batch size do not matter.
"""

import torch
from torch import Tensor

from core.game import Batch, Game
from core.phase import Forward, Term
from core.schedule import Schedule

__all__ = ["gradient_penalty_term", "input_gradients", "penalty_terms", "r1_term", "r2_term"]

Weight = float | Schedule


def input_gradients(game: Game, sample: Tensor, batch: Batch) -> Tensor:
    """Return the gradient of each sample's logits by the sample, flattened; differentiable.

    Logits of one sample, where it has several, are added up. Samples must not influence each
    other's logits, as they would through batch normalisation.

    Args:
        game: whose discriminator is asked.
        sample: ``[N, ...]``.
        batch: what the samples belong to.

    Returns:
        float32 ``[N, D]``.
    """
    with torch.autocast(sample.device.type, enabled=False), torch.enable_grad():
        point = sample.detach().float().requires_grad_()
        logits = game.score(point, batch)
        (gradients,) = torch.autograd.grad(logits.sum(), point, create_graph=True)
    return gradients.flatten(1)


def r1_term(weight: Weight, every: int = 1) -> Term:
    """Return R1: half the mean squared gradient norm on data (Mescheder et al. 2018, eq. 9)."""

    def function(forward: Forward) -> Tensor:
        gradients = input_gradients(forward.game, forward.real, forward.batch)
        return 0.5 * gradients.square().sum(dim=1).mean()

    return Term("r1", function, weight, every)


def r2_term(weight: Weight, every: int = 1) -> Term:
    """Return R2: half the mean squared gradient norm on samples (Mescheder et al. 2018, eq. 10)."""

    def function(forward: Forward) -> Tensor:
        gradients = input_gradients(forward.game, forward.fake, forward.batch)
        return 0.5 * gradients.square().sum(dim=1).mean()

    return Term("r2", function, weight, every)


def gradient_penalty_term(weight: Weight = 10.0, every: int = 1) -> Term:
    """Return WGAN-GP's penalty: ``(norm - 1)^2`` between data and samples (Gulrajani et al. 2017).

    Each pair of a real and a generated sample is mixed in a share of its own, uniform on [0, 1].
    """

    def function(forward: Forward) -> Tensor:
        real, fake = forward.real.float(), forward.fake.detach().float()
        share = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
        mixed = torch.lerp(real, fake, share)
        norms: Tensor = input_gradients(forward.game, mixed, forward.batch).norm(dim=1)
        return (norms - 1).square().mean()

    return Term("gradient_penalty", function, weight, every)


def penalty_terms(r1: float, r2: float, gradient_penalty: float, every: int) -> list[Term]:
    """Return the penalties that have a weight, each computed at every ``every``-th step."""
    makers = ((r1_term, r1), (r2_term, r2), (gradient_penalty_term, gradient_penalty))
    return [make(weight, every) for make, weight in makers if weight]
