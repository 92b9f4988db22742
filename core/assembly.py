"""From settings to a game and its trainer."""

import logging
import sys

import torch
from torch import Tensor, nn

from core import distributed
from core.adversarial import adversarial_loss
from core.checkpoint import CheckpointError
from core.collapse import PLACES, CollapseWatch
from core.command import UserError
from core.datasets import Pictures, ShuffledBatches
from core.game import NoiseGame
from core.networks.mlp import StackedGenerator, clamp_column_norms
from core.penalties import penalty_terms
from core.phase import Phase, adversarial_discriminator_term, adversarial_generator_term
from core.players import PlayerSpec
from core.sampler import Sampler, load_sampler
from core.schedule import Schedule, constant, cosine, exponential, linear
from core.trainer import Trainer
from core.vanilla_config import VanillaConfig

__all__ = [
    "build_batches",
    "build_game",
    "build_trainer",
    "build_watch",
    "epoch_steps",
    "player_spec",
]

logger = logging.getLogger(__name__)

_WATCHED = 200  # samples


def player_spec(config: VanillaConfig, pictures: Pictures) -> PlayerSpec:
    """Return which networks play for pictures of that shape.

    Raises:
        UserError: if they cannot make such pictures, or classes are asked for and there are none.
    """
    if config.conditional and not pictures.classes:
        raise UserError(f"--conditional needs classes, which {config.dataset} does not have")
    return PlayerSpec(
        config.networks,
        pictures.shape,
        config.width,
        config.discriminator_width,
        config.latent_size,
        config.noise,
        pictures.classes if config.conditional else 0,
        config.equal_contrast,
        config.spectral_norm,
    )


def build_game(config: VanillaConfig, spec: PlayerSpec, pictures: Tensor) -> NoiseGame:
    """Return the two players for training pictures ``[N, C, H, W]`` in [0, 1]."""
    game = spec.build_game(pictures.mean(dim=0))
    if isinstance(game.generator, StackedGenerator) and config.pretrained is not None:
        earlier = load_sampler(config.pretrained)
        try:
            game.generator.upper.load_state_dict(earlier.network.state_dict())
        except RuntimeError as error:
            raise CheckpointError(
                f"--pretrained {config.pretrained} does not fit: {error}"
            ) from error
    return game


def build_batches(config: VanillaConfig, pictures: Pictures) -> ShuffledBatches:
    """Return the training batches.

    Raises:
        UserError: if there are fewer pictures than a batch takes.
    """
    labels = pictures.train.labels if config.conditional else None
    try:
        return ShuffledBatches(pictures.train.pictures, config.batch_size, config.seed, labels)
    except ValueError as error:
        raise UserError(f"--batch-size: {error}") from error


def epoch_steps(config: VanillaConfig, batches: ShuffledBatches) -> int:
    """Return how many steps make an epoch; each takes a batch for each discriminator's move."""
    return max(1, batches.per_epoch // config.discriminator_steps)


def _schedules(config: VanillaConfig, per_epoch: int) -> tuple[Schedule, Schedule | None]:
    """Return the learning rate and the momentum over the steps."""
    if config.anneal:
        return cosine(config.learning_rate, config.epochs * per_epoch), None
    if config.optimizer == "adam":
        return constant(config.learning_rate), None
    decay = exponential(config.learning_rate, 1.000004, smallest=1e-6)
    return decay, linear(0.5, 0.7, steps=config.momentum_epochs * per_epoch)


def _optimizer(config: VanillaConfig, network: nn.Module) -> torch.optim.Optimizer:
    if config.optimizer == "adam":
        betas = (config.beta1, config.beta2)
        return torch.optim.Adam(
            network.parameters(), lr=config.learning_rate, betas=betas, fused=True
        )
    return torch.optim.SGD(network.parameters(), lr=config.learning_rate, momentum=0.5)


def build_trainer(
    config: VanillaConfig, game: NoiseGame, batches: ShuffledBatches, device: torch.device
) -> Trainer:
    """Return the trainer that plays ``game`` as ``config`` says."""
    game.generator.to(device)
    game.discriminator.to(device)
    loss = adversarial_loss(config.loss)
    learning_rate, momentum = _schedules(config, epoch_steps(config, batches))

    def shorten(network: nn.Module) -> None:
        clamp_column_norms(network, config.max_norm)

    constrain = shorten if config.max_norm else None
    penalties = penalty_terms(config.r1, config.r2, config.gradient_penalty, config.lazy)
    discriminator = Phase(
        "discriminator",
        _optimizer(config, game.discriminator),
        [adversarial_discriminator_term(loss, config.discriminator_weight), *penalties],
        learning_rate,
        momentum,
        repeats=config.discriminator_steps,
        constrain=constrain,
    )
    generator = Phase(
        "generator",
        _optimizer(config, game.generator),
        [adversarial_generator_term(loss)],
        learning_rate,
        momentum,
        constrain=constrain,
    )
    return Trainer(
        game,
        [discriminator, generator],
        batches,
        device=device,
        precision=config.precision,
        ema_decay=config.ema,
        order=config.order,
    )


def build_watch(config: VanillaConfig, spec: PlayerSpec, pictures: Pictures) -> CollapseWatch:
    """Return the watch for collapse; it looks at 200 samples every 100 steps.

    What they are compared with is drawn by chance, as folders hold one kind of picture after the
    other. Of fewer than 100 pictures it would know too little, and never looks.

    Raises:
        UserError: if a rollback is asked for where several processes train together.
    """
    if config.on_collapse == "rollback" and distributed.size() > 1:
        raise UserError("--on-collapse rollback needs a single process")
    train = pictures.train.pictures
    enough = len(train) >= 2 * PLACES
    if not enough:
        logger.warning("%d pictures are too few to see a collapse by", len(train))
    chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(config.seed))
    nothing = torch.zeros(1)
    guessing = float(adversarial_loss(config.loss).discriminator(nothing, nothing))

    def samples(network: nn.Module) -> Tensor:
        return Sampler(network, spec, {}).sample(_WATCHED)

    def act(trainer: Trainer, evidence: str) -> None:
        logger.warning("%s", evidence)
        trainer.stop = config.on_collapse != "warn"

    return CollapseWatch(
        samples,
        train[chosen[: _WATCHED + PLACES]],
        every=100 if enough else sys.maxsize,
        guessing_loss=guessing or None,
        act=act,
        keep_states=config.on_collapse == "rollback",
    )
