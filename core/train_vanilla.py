"""Train the generative adversarial net of Goodfellow et al. 2014: noise in, pictures out."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from torch import Tensor

from core import distributed, random_state
from core.adversarial import LossName, adversarial_loss
from core.checkpoint import save_state
from core.command import UserError, option, run_command
from core.datasets import Pictures, ShuffledBatches, load_pictures
from core.game import NoiseGame
from core.networks.mlp import MaxoutDiscriminator, MlpGenerator, clamp_column_norms
from core.phase import Phase, adversarial_discriminator_term, adversarial_generator_term
from core.pictures import save_grid
from core.run import Periodic, Run, open_run, pick_device
from core.schedule import exponential, linear
from core.trainer import Order, Trainer

__all__ = ["VanillaConfig", "build_trainer", "train"]

logger = logging.getLogger(__name__)

LATENT_SIZE = 100
_EPOCHS = {"mnist": 50, "digits": 200}
_SAMPLE_EVERY = {"mnist": 1, "digits": 20}  # epochs


@dataclass(frozen=True)
class VanillaConfig:
    """Settings of a vanilla GAN; the defaults are the published ones for MNIST.

    Attributes:
        dataset: mnist (read from the data folder, downloaded where missing), or digits (8x8, comes
            with scikit-learn).
        data_dir: where data sets lie.
        out: folder of the run; by default runs/vanilla-DATASET.
        resume: go on from the run's checkpoint.
        epochs: passes over the training pictures; by default 50 for mnist, 200 for digits.
        batch_size: samples a step.
        loss: adversarial loss.
        order: alternating is the paper's Algorithm 1; simultaneous is what its code did.
        discriminator_steps: the k of Algorithm 1: moves of the discriminator for each of the
            generator, each on fresh data.
        learning_rate: at the start; divided by 1.000004 at each update, down to 1e-6.
        hidden: units in each hidden layer of the generator.
        ema: decay of the smoothed generator that samples are drawn from; 0 turns it off.
        sample_every: epochs between sample grids and checkpoints; by default 1 and 20.
        device: auto, cpu, cuda, ...
        seed: everything random follows from it.
    """

    dataset: Literal["mnist", "digits"] = "mnist"
    data_dir: Path = Path("data")
    out: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    resume: bool = False
    epochs: int | None = None
    batch_size: int = 100
    loss: LossName = "non-saturating"
    order: Order = "alternating"
    discriminator_steps: int = 1
    learning_rate: float = 0.1
    hidden: int = 1200
    ema: float = 0.999
    sample_every: int | None = None
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "discriminator_steps", "hidden", "sample_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"{option(name)} must be at least 1, not {value}")
        if not self.learning_rate > 0:
            raise UserError(f"--learning-rate must be positive, not {self.learning_rate}")
        if self.seed < 0:
            raise UserError(f"--seed must be at least 0, not {self.seed}")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")
        if self.order == "simultaneous" and self.discriminator_steps != 1:
            raise UserError("--order simultaneous needs --discriminator-steps 1")


def build_game(config: VanillaConfig, pictures: Tensor) -> NoiseGame:
    """Return the paper's two networks for pictures ``[N, C, H, W]`` in [0, 1]."""
    channels, height, width = pictures.shape[1:]
    mean = pictures.mean(dim=0)
    return NoiseGame(
        MlpGenerator(LATENT_SIZE, (channels, height, width), config.hidden, mean),
        MaxoutDiscriminator(mean.numel()),
        LATENT_SIZE,
    )


def build_trainer(
    config: VanillaConfig, game: NoiseGame, batches: ShuffledBatches, device: torch.device
) -> Trainer:
    """Return a trainer of ``game`` by the published recipe."""
    game.generator.to(device)
    game.discriminator.to(device)
    loss = adversarial_loss(config.loss)
    learning_rate = exponential(config.learning_rate, 1.000004, smallest=1e-6)
    momentum = linear(0.5, 0.7, steps=250 * batches.per_epoch)
    discriminator = Phase(
        "discriminator",
        torch.optim.SGD(game.discriminator.parameters(), lr=config.learning_rate, momentum=0.5),
        [adversarial_discriminator_term(loss)],
        learning_rate,
        momentum,
        repeats=config.discriminator_steps,
        constrain=lambda network: clamp_column_norms(network, 1.9365),
    )
    generator = Phase(
        "generator",
        torch.optim.SGD(game.generator.parameters(), lr=config.learning_rate, momentum=0.5),
        [adversarial_generator_term(loss)],
        learning_rate,
        momentum,
    )
    return Trainer(
        game,
        [discriminator, generator],
        batches,
        device=device,
        ema_decay=config.ema,
        order=config.order,
    )


def _batches(config: VanillaConfig, pictures: Pictures) -> ShuffledBatches:
    try:
        return ShuffledBatches(pictures.train, config.batch_size, config.seed)
    except ValueError as error:
        raise UserError(f"--batch-size: {error}") from error


def _save_samples(trainer: Trainer, noise: Tensor, run: Run) -> None:
    trainer.sampler.eval()
    with torch.no_grad():
        pictures = trainer.sampler(noise)
    trainer.sampler.train(trainer.ema is None)
    enlarge = max(1, 28 // pictures.shape[-1])
    save_grid(pictures, run.samples / f"{trainer.step:07}.png", columns=10, enlarge=enlarge)


def train(config: VanillaConfig) -> bool:
    """Train, and leave samples, a loss plot, events and a checkpoint in the run's folder.

    Returns:
        Whether training came to its end rather than being interrupted.

    Raises:
        UserError: if the data or the run cannot be had as asked.
    """
    folder = config.out or Path(f"runs/vanilla-{config.dataset}")
    epochs = config.epochs or _EPOCHS[config.dataset]
    device = distributed.join(pick_device(config.device))
    pictures = load_pictures(config.dataset, config.data_dir)
    batches = _batches(config, pictures)
    run, state = open_run(
        folder,
        config,
        resume=config.resume,
        may_change=("resume", "epochs", "sample_every", "data_dir", "out", "device"),
    )
    random_state.seed_all(config.seed)
    game = build_game(config, pictures.train)
    trainer = build_trainer(config, game, batches, device)
    noise = game.noise(100, device)
    if not distributed.is_main():
        random_state.seed_all(config.seed + distributed.rank())
    if state is not None:
        trainer.load_state_dict(state)
    epoch = max(1, batches.per_epoch // config.discriminator_steps)
    every = epoch * (config.sample_every or _SAMPLE_EVERY[config.dataset])
    logger.info("training on %d pictures of %s; results in %s",
                len(pictures.train), config.dataset, run.folder)  # fmt: skip
    finished = run.play(
        trainer,
        epochs * epoch,
        observers=[Periodic(every, lambda t: _save_samples(t, noise, run))],
        checkpoint_every=every,
        log_every=max(1, min(100, epoch)),
    )
    if distributed.is_main():
        _save_samples(trainer, noise, run)
        _save_generator(trainer, run)
    distributed.leave()
    return finished


def _save_generator(trainer: Trainer, run: Run) -> None:
    generator = trainer.sampler
    assert isinstance(generator, MlpGenerator)
    save_state(
        run.generator,
        {
            "latent_size": LATENT_SIZE,
            "shape": list(generator.shape),
            "hidden": run.config["hidden"],
            "weights": generator.state_dict(),
            "training": {"config": run.config, "steps": trainer.step},
        },
    )


def main() -> None:
    """Run ``python -m core.train_vanilla``."""
    run_command(VanillaConfig, train)


if __name__ == "__main__":
    main()
