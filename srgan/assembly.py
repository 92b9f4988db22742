"""From settings to a trainer: networks, phases, terms and schedules of the two-part recipe."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from core.adversarial import adversarial_loss
from core.command import UserError
from core.game import Batch
from core.muon import Muon
from core.phase import Phase, Term, adversarial_discriminator_term, adversarial_generator_term
from core.precision import pick_precision
from core.schedule import Schedule, cosine, linear, milestones
from core.trainer import Prepare, Trainer
from srgan.cache import PairCache
from srgan.config import TrainConfig
from srgan.degradations import DEGRADATIONS, Draw
from srgan.discriminators import build_discriminator
from srgan.features import build_features
from srgan.game import SuperResolutionGame
from srgan.generators import Generator
from srgan.losses import (
    frequency_term,
    lpips_term,
    perceptual_term,
    pixel_term,
    teacher_term,
    total_variation_term,
)
from srgan.patches import PatchSampler
from srgan.stlpips import ShiftTolerantLPIPS
from srgan.upscalers import open_upscaler

__all__ = ["build_game", "build_trainer"]


def build_game(config: TrainConfig, generator: Generator) -> SuperResolutionGame:
    """Return the game of ``generator`` against the discriminator that the settings name.

    Raises:
        UserError: if that discriminator cannot see patches of the size asked for.
    """
    discriminator: nn.Module = nn.Identity()
    if config.adversarial_steps:
        channels = 6 if config.conditional else 3
        try:
            discriminator = build_discriminator(
                config.discriminator,
                channels,
                config.discriminator_width,
                config.patch * generator.scale,
            )
        except ValueError as error:
            raise UserError(f"--patch times scale: {error}") from error
    return SuperResolutionGame(generator, discriminator, conditional=config.conditional)


def build_trainer(
    config: TrainConfig, game: SuperResolutionGame, pairs: PairCache, device: torch.device
) -> Trainer:
    """Return a trainer of ``game`` on patches of ``pairs``.

    In the first part only the pixel loss, and the spectra's where it has a weight, pull at the
    generator; in the second all losses do, and the discriminator learns.

    Raises:
        UserError: if the weights of a perceptual loss cannot be had.
    """
    for network in (game.generator, game.discriminator):
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    phases = [
        Phase(
            "generator",
            _optimizer(config, game.generator),
            _generator_terms(config, pairs.scale, device),
            _learning_rate(config),
            clip_norm=config.clip_norm or None,
        )
    ]
    if config.adversarial_steps:
        loss = adversarial_loss(config.adversarial)
        phases.insert(
            0,
            Phase(
                "discriminator",
                Adam(game.discriminator.parameters(), betas=(0.9, 0.999)),
                [adversarial_discriminator_term(loss)],
                _learning_rate(config),
                start=config.pixel_steps,
                clip_norm=config.clip_norm or None,
            ),
        )
    if config.compile:
        game.generator.compile()
    return Trainer(
        game,
        phases,
        PatchSampler(pairs, config.batch_size, config.patch, config.seed),
        device=device,
        precision=pick_precision(config.precision, device),
        ema_decay=config.ema,
        accumulate=config.accumulate,
        prepare=_degrading(config, pairs.scale),
    )


def _optimizer(config: TrainConfig, generator: nn.Module) -> Optimizer:
    if config.optimizer == "muon":
        return Muon(generator)
    return Adam(generator.parameters(), betas=(0.9, 0.999))


def _generator_terms(config: TrainConfig, scale: int, device: torch.device) -> list[Term]:
    terms = [pixel_term(config.pixel_loss, _in_parts(config, 1.0, config.pixel_weight))]
    if config.frequency_weight:
        terms.append(frequency_term(config.frequency_weight))
    if config.teacher is not None and config.teacher_weight:
        teacher = open_upscaler(config.teacher, scale, device)
        if teacher.scale != scale:
            raise UserError(f"--teacher enlarges {teacher.scale}x, the generator {scale}x")
        terms.append(teacher_term(teacher.run, config.pixel_loss, config.teacher_weight))
    if not config.adversarial_steps:
        return terms
    ramp = linear(0.0, config.adversarial_weight, config.adversarial_ramp)
    strength: float | Schedule = ramp if config.adversarial_ramp else config.adversarial_weight
    if config.perceptual_weight:
        features = build_features(config.features).to(device)
        weight = _in_parts(config, 0.0, config.perceptual_weight)
        terms.append(perceptual_term(features, config.perceptual_loss, weight))
    if config.lpips_weight:
        metric = ShiftTolerantLPIPS("alex").to(device)
        terms.append(lpips_term(metric, _in_parts(config, 0.0, config.lpips_weight)))
    if config.total_variation_weight:
        terms.append(total_variation_term(_in_parts(config, 0.0, config.total_variation_weight)))
    loss = adversarial_loss(config.adversarial)
    terms.append(adversarial_generator_term(loss, _in_parts(config, 0.0, strength)))
    return terms


def _in_parts(config: TrainConfig, first: float | Schedule, second: float | Schedule) -> Schedule:
    """Follow ``first`` through the pixel part, then ``second``, counted from its own start."""

    def value(step: int) -> float:
        part, local = (
            (first, step) if step < config.pixel_steps else (second, step - config.pixel_steps)
        )
        return part(local) if callable(part) else part

    return value


def _learning_rate(config: TrainConfig) -> Schedule:
    def part(peak: float, steps: int, shares: tuple[float, ...]) -> Schedule:
        if config.decay == "cosine":
            return cosine(peak, steps, warmup=config.warmup, floor=peak / 1000)
        falls = [round(share * steps) for share in shares]
        return milestones(peak, falls, config.milestone_factor, warmup=config.warmup)

    return _in_parts(
        config,
        part(config.learning_rate, config.pixel_steps, config.pixel_milestones),
        part(
            config.adversarial_learning_rate,
            config.adversarial_steps,
            config.adversarial_milestones,
        ),
    )


def _degrading(config: TrainConfig, scale: int) -> Prepare | None:
    """Return what makes LR patches on the device; None where the cache's own twins will do."""
    if config.degradation == "bicubic":
        return None
    degradation: Callable[[Tensor, int, Draw], Tensor] = DEGRADATIONS[config.degradation]

    def prepare(batch: Batch, index: int) -> Batch:
        draw = Draw((config.seed, index), batch.real.device)
        lr = degradation(batch.real, scale, draw)
        return Batch(batch.real, lr.contiguous(memory_format=torch.channels_last))

    return prepare
