"""Why the generator maximises log D(G(z)): both of its gradients at the start of training.

Run ``python -m core.figures.generator_gradients``. The left panel is the formula: the gradient of
each loss by the logit. The right panel is a game on digits: a discriminator learns against a
generator that stands still, and the norm of what the generator would learn from it is drawn.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from core import random_state
from core.adversarial import adversarial_loss
from core.assembly import build_batches, build_game, build_trainer, player_spec
from core.command import UserError, run_command
from core.files import appearing
from core.game import Batch, NoiseGame
from core.recipes import RECIPES
from core.training_pictures import training_pictures

__all__ = ["GradientsConfig", "gradient_by_logit", "gradient_norm", "norms"]

logger = logging.getLogger(__name__)

_LOSSES = ("minimax", "non-saturating")


@dataclass(frozen=True)
class GradientsConfig:
    """How long the discriminator learns.

    Attributes:
        out: the picture.
        steps: of the discriminator.
        seed: everything random follows from it.
    """

    out: Path = Path("figures/generator_gradients.png")
    steps: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UserError(f"--steps must be at least 1, not {self.steps}")


def gradient_by_logit(name: str, logits: Tensor) -> Tensor:
    """Return the size of the gradient of the generator's loss by each logit.

    In closed form D for minimax and 1 - D for non-saturating, where D is the logit's sigmoid.
    """
    points = logits.detach().clone().requires_grad_()
    loss = adversarial_loss(name).generator(points, points)
    (gradients,) = torch.autograd.grad(loss * len(points), points)
    return gradients.abs()


def gradient_norm(name: str, game: NoiseGame, batch: Batch) -> float:
    """Return the norm of the gradient of the generator's loss by all its weights."""
    logits = game.score(game.fake(batch), batch)
    loss = adversarial_loss(name).generator(logits, logits)
    gradients = torch.autograd.grad(loss, list(game.generator.parameters()))
    return float(torch.cat([g.flatten() for g in gradients]).norm())


def norms(steps: int, seed: int) -> dict[str, list[float]]:
    """Return both gradients' norms while the discriminator alone learns, on the 8x8 digits."""
    config = replace(RECIPES["digits"], loss="non-saturating", r1=0.0, r2=0.0, beta1=0.9)
    pictures = training_pictures(config)
    random_state.seed_all(seed)
    game = build_game(config, player_spec(config, pictures), pictures.train.pictures)
    batches = build_batches(config, pictures)
    trainer = build_trainer(config, game, batches, torch.device("cpu"))
    trainer.phases[1].start = steps + 1  # the generator stands still
    found: dict[str, list[float]] = {name: [] for name in _LOSSES}
    for step in range(steps):
        trainer.train(step + 1)
        for name in _LOSSES:
            found[name].append(gradient_norm(name, game, batches.batch(0)))
    return found


def make(config: GradientsConfig) -> bool:
    """Draw both panels."""
    figure = Figure(figsize=(8, 3), dpi=90, layout="constrained")
    left, right = figure.subplots(1, 2)
    logits = torch.linspace(-8, 8, 161)
    measured = norms(config.steps, config.seed)
    for name in _LOSSES:
        left.plot(logits, gradient_by_logit(name, logits), label=name)
        right.semilogy(range(1, config.steps + 1), measured[name], label=name, linewidth=1)
    left.set(xlabel="logit of D(G(z))", title="gradient by the logit")
    right.set(xlabel="steps of the discriminator alone", title="norm of the generator's gradient")
    for axis in (left, right):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, frameon=False)
    with appearing(config.out) as temporary:
        figure.savefig(temporary, format="png")
    for name in _LOSSES:
        logger.info("%s: gradient norm %.2g after %d steps", name, measured[name][-1], config.steps)
    return True


if __name__ == "__main__":
    run_command(GradientsConfig, make)
