"""How many of 25 modes an objective finds: the usual first test of a loss.

Data are 25 narrow Gaussians on a square grid (as in Metz et al. 2017 and many after them). Both
players are the same small networks for every objective, with the optimiser that its paper gives it.
Run ``python -m core.evaluation.gaussians`` for the table.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from core import random_state
from core.adversarial import LossName, adversarial_loss
from core.command import UserError, run_command
from core.game import Batch, NoiseGame
from core.penalties import gradient_penalty_term, r1_term, r2_term
from core.phase import Phase, Term, adversarial_discriminator_term, adversarial_generator_term
from core.schedule import linear
from core.trainer import Trainer

__all__ = ["OBJECTIVES", "Found", "Objective", "grid", "grid_trainer", "modes_found"]

DEVIATION = 0.05
_SIDE = (-4.0, -2.0, 0.0, 2.0, 4.0)
_LATENT = 16


@dataclass(frozen=True)
class Objective:
    """A loss with what is usually put beside it.

    Attributes:
        loss: the adversarial loss.
        penalties: terms of the discriminator.
        repeats: moves of the discriminator a step.
        spectral: whether the discriminator's weights are divided by their spectral norms.
    """

    loss: LossName
    penalties: tuple[Term, ...] = ()
    repeats: int = 1
    spectral: bool = False


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "minimax": Objective("minimax"),
        "non-saturating": Objective("non-saturating"),
        "non-saturating + R1": Objective("non-saturating", (r1_term(0.1),)),
        "least-squares": Objective("least-squares"),
        "hinge + spectral norm": Objective("hinge", spectral=True),
        "wasserstein + penalty": Objective("wasserstein", (gradient_penalty_term(0.1),), 3),
        "relativistic-average": Objective("relativistic-average"),
        "relativistic-paired + R1 + R2": Objective(
            "relativistic-paired", (r1_term(0.1), r2_term(0.1))
        ),
    }
)


@dataclass(frozen=True)
class Found:
    """What samples have found.

    Attributes:
        modes: how many of the 25 have a sample within three deviations.
        inside: share of samples that lie so near a mode, in [0, 1].
    """

    modes: int
    inside: float


def grid() -> Tensor:
    """Return the 25 means, float32 ``[25, 2]``."""
    return torch.cartesian_prod(torch.tensor(_SIDE), torch.tensor(_SIDE))


def modes_found(samples: Tensor) -> Found:
    """Count the modes near samples ``[N, 2]``."""
    distances, nearest = torch.cdist(samples, grid()).min(dim=1)
    near = distances <= 3 * DEVIATION
    return Found(len(nearest[near].unique()), float(near.float().mean()))


@dataclass(frozen=True)
class GridBatches:
    """Endless points of the mixture; each batch is a pure function of seed and index."""

    size: int
    seed: int

    def batch(self, index: int) -> Batch:
        """Return batch ``index``, ``[size, 2]``."""
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + index)
        chosen = torch.randint(25, (self.size,), generator=random)
        return Batch(grid()[chosen] + DEVIATION * torch.randn(self.size, 2, generator=random))


def _network(inputs: int, outputs: int, width: int, *, spectral: bool = False) -> nn.Module:
    network = nn.Sequential(
        nn.Linear(inputs, width), nn.LeakyReLU(0.2),
        nn.Linear(width, width), nn.LeakyReLU(0.2),
        nn.Linear(width, width), nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )  # fmt: skip
    if spectral:
        for layer in network:
            if isinstance(layer, nn.Linear):
                spectral_norm(layer)
    return network


def grid_trainer(
    objective: Objective, seed: int, steps: int, width: int = 128, learning_rate: float = 1e-3
) -> Trainer:
    """Return a trainer that plays for the 25 modes; the learning rate falls to 0 over ``steps``."""
    random_state.seed_all(seed)
    game = NoiseGame(
        _network(_LATENT, 2, width), _network(2, 1, width, spectral=objective.spectral), _LATENT
    )
    loss = adversarial_loss(objective.loss)
    rate = linear(learning_rate, 0.0, steps)

    def adam(network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), betas=(0.0, 0.9))

    terms = [adversarial_discriminator_term(loss), *objective.penalties]
    return Trainer(
        game,
        [
            Phase("discriminator", adam(game.discriminator), terms, rate,
                  repeats=objective.repeats),
            Phase("generator", adam(game.generator), [adversarial_generator_term(loss)], rate),
        ],
        GridBatches(256, seed),
        ema_decay=0.99,
    )  # fmt: skip


def play(objective: Objective, seed: int, steps: int) -> Found:
    """Train for ``steps`` and count what 2,500 samples have found."""
    trainer = grid_trainer(objective, seed, steps)
    trainer.train(steps)
    noise = torch.randn(2500, _LATENT, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return modes_found(trainer.sampler(noise))


@dataclass(frozen=True)
class GaussiansConfig:
    """What is compared.

    Attributes:
        steps: of training, for each objective and seed.
        seeds: how many times each is trained.
    """

    steps: int = 5000
    seeds: int = 5

    def __post_init__(self) -> None:
        for name in ("steps", "seeds"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, not {getattr(self, name)}")


def compare(config: GaussiansConfig) -> bool:
    """Print a row for each objective: modes found and the share of samples near one."""
    torch.set_num_threads(1)  # the networks are far too small to share
    sys.stdout.write(f"{'objective':<32}{'modes of 25':>12}{'fewest':>8}{'in a mode':>12}\n")
    for name, objective in OBJECTIVES.items():
        found = [play(objective, seed, config.steps) for seed in range(config.seeds)]
        modes = [f.modes for f in found]
        inside = mean(f.inside for f in found)
        sys.stdout.write(f"{name:<32}{mean(modes):>12.1f}{min(modes):>8}{inside:>12.0%}\n")
        sys.stdout.flush()
    return True


if __name__ == "__main__":
    run_command(GaussiansConfig, compare)
