"""Train a super-resolution generator: first on pixels, then against a discriminator."""

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from core import random_state
from core.adversarial import adversarial_loss
from core.command import UserError, run_command
from core.game import Batch
from core.phase import Phase, adversarial_discriminator_term, adversarial_generator_term
from core.pictures import save_grid
from core.precision import pick_precision
from core.run import Periodic, Run, open_run, pick_device
from core.schedule import Schedule, cosine
from core.train_vanilla import LossName
from core.trainer import Trainer
from srgan.cache import PairCache, open_cache
from srgan.discriminators import SRGANDiscriminator
from srgan.features import FeatureNetwork, build_features
from srgan.game import SuperResolutionGame
from srgan.generators import (
    Generator,
    GeneratorName,
    GeneratorSpec,
    load_generator,
    save_generator,
)
from srgan.losses import PixelLoss, perceptual_term, pixel_term
from srgan.metrics import crop_border, luma, psnr, quantise
from srgan.patches import PatchSampler, as_tensor
from srgan.sources import training_pictures

__all__ = ["TrainConfig", "build_trainer", "train"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a super-resolution run.

    Attributes:
        data: div2k, or folders of pictures separated by commas.
        data_dir: where named data sets lie, and are downloaded to.
        cache_dir: where decoded pictures are kept.
        out: folder of the run.
        resume: go on from the run's checkpoint.
        init: a generator file to start from; it replaces generator, scale, width and blocks.
        generator: light (for processors) or srresnet (the paper's).
        scale: output side over input side.
        width: channels of the generator's body.
        blocks: residual blocks of the generator.
        pixel_steps: steps of the first part, on the pixel loss alone.
        adversarial_steps: steps of the second part, on perceptual and adversarial loss.
        batch_size: patches a step.
        patch: side of a low-resolution patch.
        pixel_loss: l1, or mse as in the paper.
        pixel_weight: of the pixel loss in the second part.
        features: network of the perceptual loss: vgg19 (downloaded by torchvision) or
            efficientnet-lite0 (installed).
        perceptual_weight: of the perceptual loss.
        adversarial: adversarial loss.
        adversarial_weight: of the adversarial loss.
        discriminator_width: channels of the discriminator's first layer.
        learning_rate: Adam's, at the top of the first part; it falls as a cosine.
        adversarial_learning_rate: of both players, at the top of the second part; likewise.
        ema: decay of the smoothed generator, which is the one that is kept.
        holdout: pictures kept from training, to validate on.
        checkpoint_every: steps between checkpoints, samples and validations.
        precision: number format; auto takes bf16 where it is faster.
        device: auto, cpu, cuda, ...
        seed: everything random follows from it.
    """

    data: str = "div2k"
    data_dir: Path = Path("data")
    cache_dir: Path = Path("data/cache")
    out: Path = Path("runs/srgan")
    resume: bool = False
    init: Path | None = None
    generator: GeneratorName = "light"
    scale: int = 4
    width: int = 32
    blocks: int = 4
    pixel_steps: int = 30_000
    adversarial_steps: int = 10_000
    batch_size: int = 16
    patch: int = 24
    pixel_loss: PixelLoss = "l1"
    pixel_weight: float = 0.01
    features: FeatureNetwork = "vgg19"
    perceptual_weight: float = 1.0
    adversarial: LossName = "non-saturating"
    adversarial_weight: float = 1e-3
    discriminator_width: int = 64
    learning_rate: float = 1e-3
    adversarial_learning_rate: float = 1e-4
    ema: float = 0.999
    holdout: int = 8
    checkpoint_every: int = 1000
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        smallest = {"batch_size": 1, "patch": 8, "checkpoint_every": 1, "holdout": 0,
                    "pixel_steps": 0, "adversarial_steps": 0, "discriminator_width": 1}  # fmt: skip
        for name, least in smallest.items():
            if getattr(self, name) < least:
                raise UserError(f"{_option(name)} must be at least {least}")
        for name in ("learning_rate", "adversarial_learning_rate"):
            if not getattr(self, name) > 0:
                raise UserError(f"{_option(name)} must be positive")
        for name in ("pixel_weight", "perceptual_weight", "adversarial_weight"):
            if not getattr(self, name) >= 0:
                raise UserError(f"{_option(name)} must not be negative")
        if not 0 <= self.ema < 1:
            raise UserError(f"--ema must be at least 0 and below 1, not {self.ema}")

    @property
    def steps(self) -> int:
        """Steps of both parts."""
        return self.pixel_steps + self.adversarial_steps


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _second_part(
    config: TrainConfig, first: float | Schedule, second: float | Schedule
) -> Schedule:
    """Follow ``first`` through the pixel part, then ``second``, counted from its own start."""

    def value(step: int) -> float:
        part, local = (
            (first, step) if step < config.pixel_steps else (second, step - config.pixel_steps)
        )
        return part(local) if callable(part) else part

    return value


def _discriminator(config: TrainConfig, scale: int) -> nn.Module:
    if not config.adversarial_steps:
        return nn.Identity()
    try:
        return SRGANDiscriminator(config.patch * scale, config.discriminator_width)
    except ValueError as error:
        raise UserError(f"--patch times scale: {error}") from error


def build_trainer(
    config: TrainConfig, generator: Generator, pairs: PairCache, device: torch.device
) -> Trainer:
    """Return a trainer of ``generator`` on patches of ``pairs``, by the two-part recipe."""
    game = SuperResolutionGame(generator, _discriminator(config, generator.scale))
    for network in (game.generator, game.discriminator):
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    terms = [pixel_term(config.pixel_loss, _second_part(config, 1.0, config.pixel_weight))]
    phases: list[Phase] = []
    if config.adversarial_steps:
        loss = adversarial_loss(config.adversarial)
        features = build_features(config.features).to(device)
        terms += [
            perceptual_term(features, _second_part(config, 0.0, config.perceptual_weight)),
            adversarial_generator_term(loss, _second_part(config, 0.0, config.adversarial_weight)),
        ]
        phases.append(
            Phase(
                "discriminator",
                torch.optim.Adam(game.discriminator.parameters(), betas=(0.9, 0.999)),
                [adversarial_discriminator_term(loss)],
                _learning_rate(config),
                start=config.pixel_steps,
            )
        )
    phases.append(
        Phase(
            "generator",
            torch.optim.Adam(generator.parameters(), betas=(0.9, 0.999)),
            terms,
            _learning_rate(config),
        )
    )
    return Trainer(
        game,
        phases,
        PatchSampler(pairs, config.batch_size, config.patch, config.seed),
        device=device,
        precision=pick_precision(config.precision, device),
        ema_decay=config.ema,
    )


def _learning_rate(config: TrainConfig) -> Schedule:
    first, second = config.learning_rate, config.adversarial_learning_rate
    return _second_part(
        config,
        cosine(first, config.pixel_steps, warmup=100, floor=first / 1000),
        cosine(second, config.adversarial_steps, warmup=100, floor=second / 1000),
    )


def _upscale(network: nn.Module, lr: Tensor) -> Tensor:
    network.eval()
    with torch.no_grad():
        hr: Tensor = network(lr)
    return hr


def _validation(pairs: PairCache, device: torch.device) -> Callable[[Trainer], dict[str, float]]:
    """Return a measure: the mean PSNR of the smoothed generator on whole held-out pictures."""

    def measure(trainer: Trainer) -> dict[str, float]:
        values = []
        for lr, hr in zip(pairs.lr, pairs.hr, strict=True):
            upscaled = _upscale(trainer.sampler, as_tensor([lr]).to(device)).cpu()
            border = pairs.scale
            values.append(
                psnr(
                    crop_border(luma(quantise(upscaled)), border),
                    crop_border(luma(quantise(as_tensor([hr]))), border),
                )
            )
        trainer.sampler.train(trainer.ema is None)
        return {"validation/psnr_y": sum(values) / len(values)}

    return measure


def _samples(pairs: PairCache, run: Run, batch: Batch) -> Callable[[Trainer], None]:
    """Return an action: write bicubic, upscaled and true patches side by side."""
    assert batch.cond is not None
    enlarged = nn.functional.interpolate(
        batch.cond, scale_factor=float(pairs.scale), mode="bicubic", align_corners=False
    )

    def save(trainer: Trainer) -> None:
        assert batch.cond is not None
        upscaled = _upscale(trainer.sampler, batch.cond.to(trainer.device)).cpu()
        trainer.sampler.train(trainer.ema is None)
        rows = torch.stack([enlarged, upscaled, batch.real], dim=1).flatten(0, 1)
        save_grid(rows, run.samples / f"{trainer.step:07}.png", columns=6)

    return save


def _split(config: TrainConfig) -> tuple[list[Path], list[Path]]:
    """Divide the pictures into those to train on and those held out, spread over the list."""
    pictures = training_pictures(config.data, config.data_dir)
    if config.holdout == 0:
        return pictures, []
    if config.holdout * 2 > len(pictures):
        raise UserError(
            f"--holdout {config.holdout} would take more than half of the {len(pictures)} pictures"
        )
    stride = len(pictures) // config.holdout
    held_out = pictures[stride // 2 :: stride][: config.holdout]
    return [p for p in pictures if p not in set(held_out)], held_out


def _settings(config: TrainConfig) -> dict[str, Any]:
    """Return what a trained generator says about its making: everything but places on this disk."""
    places = {"data", "data_dir", "cache_dir", "out", "resume", "init", "device"}
    settings = {k: v for k, v in dataclasses.asdict(config).items() if k not in places}
    return settings | {"data": [Path(part).name for part in config.data.split(",")]}


def train(config: TrainConfig) -> bool:
    """Train, and leave pictures, plots, events, a checkpoint and the generator in the run's folder.

    Returns:
        Whether training came to its end rather than being interrupted.

    Raises:
        UserError: if the data or the run cannot be had as asked.
    """
    device = pick_device(config.device)
    if config.init is not None:
        generator, spec, earlier = load_generator(config.init)
        generator.train()
    else:
        random_state.seed_all(config.seed)
        spec = GeneratorSpec(config.generator, config.scale, config.width, config.blocks)
        generator, earlier = spec.build(), {}
    training, held_out = _split(config)
    pairs = open_cache(config.cache_dir, training, spec.scale, smallest_side=config.patch)
    run, state = open_run(
        config.out,
        config,
        resume=config.resume,
        may_change=("resume", "data_dir", "cache_dir", "out", "device", "checkpoint_every"),
    )
    random_state.seed_all(config.seed)
    trainer = build_trainer(config, generator, pairs, device)
    if state is not None:
        trainer.load_state_dict(state)
    logger.info(
        "training %s on %d pictures, %s on %s; results in %s",
        spec, len(pairs), trainer.precision, device, run.folder,
    )  # fmt: skip

    def keep(trainer: Trainer) -> None:
        record = {"settings": _settings(config), "steps": trainer.step, "pictures": len(pairs)}
        if earlier:
            record["before"] = earlier
        save_generator(run.generator, spec, trainer.sampler.state_dict(), record)

    observers = [Periodic(config.checkpoint_every, keep)]
    measure = None
    if held_out:
        validation = open_cache(config.cache_dir, held_out, spec.scale, smallest_side=config.patch)
        measure = _validation(validation, device)
        seen = PatchSampler(validation, 8, 48 if config.patch > 48 else config.patch).batch(0)
        observers.append(Periodic(config.checkpoint_every, _samples(validation, run, seen)))
    finished = run.play(
        trainer,
        config.steps,
        observers=observers,
        checkpoint_every=config.checkpoint_every,
        log_every=min(100, config.checkpoint_every),
        measure=measure,
    )
    keep(trainer)
    return finished


def main() -> None:
    """Run ``python -m srgan.train``."""
    run_command(TrainConfig, train)


if __name__ == "__main__":
    main()
