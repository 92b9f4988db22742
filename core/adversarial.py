"""Adversarial losses on logits: what each player minimises.

Every loss is a pair of functions of both sides' logits, so that relativistic pairs need no special
case. Logits have any shape; real and fake agree in it. Each function returns a scalar to minimise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

__all__ = ["LOSSES", "AdversarialLoss", "LossName", "adversarial_loss", "win_rate"]

PairLoss = Callable[[Tensor, Tensor], Tensor]
LossName = Literal[
    "minimax",
    "non-saturating",
    "least-squares",
    "hinge",
    "wasserstein",
    "relativistic-average",
    "relativistic-paired",
]


@dataclass(frozen=True)
class AdversarialLoss:
    """The two players' losses as functions of ``(real_logits, fake_logits)``.

    Attributes:
        name: how the command line calls it.
        discriminator: loss of the discriminator.
        generator: loss of the generator.
        relativistic: whether the generator's loss looks at the real logits; where it does not,
            nobody computes them for it.
    """

    name: str
    discriminator: PairLoss
    generator: PairLoss
    relativistic: bool = False


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    # -log D(x) - log(1 - D(G(z))): softplus keeps it exact where a sigmoid would saturate.
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _minimax_generator(_real: Tensor, fake: Tensor) -> Tensor:
    return -F.softplus(fake).mean()


def _non_saturating_generator(_real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-fake).mean()


def _least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


def _least_squares_generator(_real: Tensor, fake: Tensor) -> Tensor:
    return 0.5 * (fake - 1).square().mean()


def _hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def _wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return fake.mean() - real.mean()


def _raise_fake(_real: Tensor, fake: Tensor) -> Tensor:
    return -fake.mean()


def _relativistic_average(winner: Tensor, loser: Tensor) -> Tensor:
    above = F.softplus(loser.mean() - winner).mean()
    below = F.softplus(loser - winner.mean()).mean()
    return 0.5 * (above + below)


def _relativistic_paired(winner: Tensor, loser: Tensor) -> Tensor:
    return F.softplus(loser - winner).mean()


def _swapped(loss: PairLoss) -> PairLoss:
    def generator_loss(real: Tensor, fake: Tensor) -> Tensor:
        return loss(fake, real)

    return generator_loss


LOSSES: Mapping[str, AdversarialLoss] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            # Goodfellow et al. 2014, eq. 1: the value function exactly as printed.
            AdversarialLoss("minimax", _cross_entropy, _minimax_generator),
            # Goodfellow et al. 2014, section 3: maximise log D(G(z)) instead.
            AdversarialLoss("non-saturating", _cross_entropy, _non_saturating_generator),
            # Mao et al. 2017, eq. 9 with a = 0, b = c = 1.
            AdversarialLoss(
                "least-squares", _least_squares_discriminator, _least_squares_generator
            ),
            # Lim and Ye 2017; Miyato et al. 2018, eq. 16 and 17.
            AdversarialLoss("hinge", _hinge_discriminator, _raise_fake),
            # Arjovsky et al. 2017; needs a penalty or a clip on the discriminator.
            AdversarialLoss("wasserstein", _wasserstein_discriminator, _raise_fake),
            # Jolicoeur-Martineau 2018, RaSGAN, halved as in ESRGAN's code.
            AdversarialLoss(
                "relativistic-average",
                _relativistic_average,
                _swapped(_relativistic_average),
                relativistic=True,
            ),
            # Jolicoeur-Martineau 2018, RSGAN; the loss of R3GAN (Huang et al. 2024).
            AdversarialLoss(
                "relativistic-paired",
                _relativistic_paired,
                _swapped(_relativistic_paired),
                relativistic=True,
            ),
        )
    }
)


def adversarial_loss(name: str) -> AdversarialLoss:
    """Look an adversarial loss up by name.

    Raises:
        ValueError: if there is none of that name; the message lists them.
    """
    try:
        return LOSSES[name]
    except KeyError:
        raise ValueError(
            f"adversarial loss must be one of {', '.join(LOSSES)}, not {name!r}"
        ) from None


def win_rate(real: Tensor, fake: Tensor) -> Tensor:
    """Share of samples that a discriminator with threshold 0 puts on the right side, in [0, 1]."""
    return 0.5 * ((real > 0).float().mean() + (fake < 0).float().mean())
