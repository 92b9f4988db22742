"""From settings to a trainer: networks, phases, terms and schedules of the two-part recipe."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from core.adversarial import adversarial_loss
from core.command import UserError
from core.game import Batch
from core.muon import Muon
from core.penalties import penalty_terms
from core.phase import Phase, Term, adversarial_discriminator_term, adversarial_generator_term
from core.precision import Precision, pick_precision
from core.recording import record_passes
from core.schedule import Schedule, cosine, followed, linear, milestones
from core.trainer import Prepare, Trainer
from srgan.cache import PairCache
from srgan.config import TrainConfig
from srgan.degradations import DEGRADATIONS, Draw
from srgan.discriminators import build_discriminator
from srgan.features import build_features
from srgan.game import SuperResolutionGame
from srgan.generators import Generator
from srgan.losses import (
    LARGEST_SHIFT,
    colour_term,
    frequency_term,
    grid_term,
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
        channels = SuperResolutionGame.channels(conditional=config.conditional, luma=config.luma)
        try:
            discriminator = build_discriminator(
                config.discriminator,
                channels,
                config.discriminator_width,
                config.patch * generator.scale,
            )
        except ValueError as error:
            raise UserError(f"--patch times scale: {error}") from error
    return SuperResolutionGame(
        generator, discriminator, conditional=config.conditional, luma=config.luma
    )


def build_trainer(
    config: TrainConfig,
    game: SuperResolutionGame,
    pairs: PairCache,
    device: torch.device,
    begun: Precision | None = None,
) -> Trainer:
    """Return a trainer of ``game`` on patches of ``pairs``: the two parts, one after the other.

    The last one goes on for the steps in which the generator rounds, which it does once
    :func:`srgan.quantisation.round_from_now` is called.

    Args:
        config: the settings.
        game: from :func:`build_game`.
        pairs: the pictures.
        device: that training runs on.
        begun: the number format of a run that goes on, which ``--precision auto`` keeps.

    Raises:
        UserError: if the weights of a perceptual loss cannot be had, or its network cannot see
            patches of the size asked for.
    """
    for network in (game.generator, game.discriminator):
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    always = _terms_of_both_parts(config, pairs.scale, device)
    phases = []
    if config.pixel_steps or not config.adversarial_steps:
        phases.append(_pixel_phase(config, game.generator, always))
    if config.adversarial_steps:
        phases += [
            _discriminator_phase(config, game.discriminator),
            _adversarial_phase(config, game.generator, always, pairs.scale, device),
        ]
    precision = pick_precision(config.precision, device, begun)
    trainer = Trainer(
        game,
        phases,
        PatchSampler(
            pairs, config.batch_size, config.patch, config.seed, device, config.candidates
        ),
        device=device,
        precision=precision,
        ema_decay=config.ema,
        accumulate=config.accumulate,
        prepare=_degrading(config, pairs.scale),
    )
    if config.compile:
        game.generator.compile()
    elif device.type == "cuda" and config.accumulate == 1 and config.unrounded_steps:
        example = torch.rand(config.batch_size, 3, config.patch, config.patch, device=device)
        example = example.contiguous(memory_format=torch.channels_last)
        record_passes(game.generator.train(), example, precision)
    return trainer


def _terms_of_both_parts(config: TrainConfig, scale: int, device: torch.device) -> list[Term]:
    terms = []
    if config.frequency_weight:
        terms.append(frequency_term(config.frequency_weight))
    if config.colour_weight:
        terms.append(colour_term(scale, config.colour_weight))
    if config.teacher is not None and config.teacher_weight:
        teacher = open_upscaler(config.teacher, scale, device)
        if teacher.scale != scale:
            raise UserError(f"--teacher enlarges {teacher.scale}x, the generator {scale}x")
        terms.append(teacher_term(teacher.run, config.pixel_loss, config.teacher_weight))
    return terms


def _pixel_phase(config: TrainConfig, generator: nn.Module, always: list[Term]) -> Phase:
    """The first part: the generator alone, on pixels."""
    optimizer: Optimizer = (
        Muon(generator) if config.optimizer == "muon" else Adam(generator.parameters())
    )
    return Phase(
        "generator",
        optimizer,
        [pixel_term(config.pixel_loss), *always],
        _learning_rate(config, config.learning_rate, config.pixel_steps, config.pixel_milestones),
        stop=config.pixel_steps if config.adversarial_steps else None,
        clip_norm=config.clip_norm or None,
    )


def _discriminator_phase(config: TrainConfig, discriminator: nn.Module) -> Phase:
    loss = adversarial_loss(config.adversarial)
    penalties = penalty_terms(config.r1, config.r2, config.gradient_penalty, config.lazy)
    return Phase(
        "discriminator",
        Adam(discriminator.parameters()),
        [adversarial_discriminator_term(loss), *penalties],
        _adversarial_learning_rate(config),
        start=config.pixel_steps,
        clip_norm=config.clip_norm or None,
    )


def _adversarial_phase(
    config: TrainConfig,
    generator: nn.Module,
    always: list[Term],
    scale: int,
    device: torch.device,
) -> Phase:
    """The second part's generator, on all losses.

    By Adam: Muon's steps are as long in the directions in which a discriminator is fooled by a
    pattern as in all others, and leave a checkerboard.
    """
    terms = [*always]
    if config.pixel_weight:
        terms.append(pixel_term(config.pixel_loss, config.pixel_weight))
    if config.perceptual_weight:
        features = build_features(config.features).to(device)
        _require_side(config, scale, features.least_side + LARGEST_SHIFT, config.features)
        terms.append(perceptual_term(features, config.perceptual_loss, config.perceptual_weight))
    if config.lpips_weight:
        metric = ShiftTolerantLPIPS("alex").to(device)
        _require_side(config, scale, metric.least_side, "LPIPS")
        terms.append(lpips_term(metric, config.lpips_weight))
    if config.grid_weight:
        terms.append(grid_term(scale, config.grid_weight))
    if config.total_variation_weight:
        terms.append(total_variation_term(config.total_variation_weight))
    ramp = linear(0.0, config.adversarial_weight, config.adversarial_ramp)
    weight: float | Schedule = ramp if config.adversarial_ramp else config.adversarial_weight
    terms.append(adversarial_generator_term(adversarial_loss(config.adversarial), weight))
    return Phase(
        "generator",
        Adam(generator.parameters()),
        terms,
        _adversarial_learning_rate(config),
        start=config.pixel_steps,
        clip_norm=config.clip_norm or None,
    )


def _require_side(config: TrainConfig, scale: int, least: int, network: str) -> None:
    side = config.patch * scale
    if side < least:
        raise UserError(
            f"--patch times the scale must be at least {least} for {network}, not {side}"
        )


def _adversarial_learning_rate(config: TrainConfig) -> Schedule:
    return _learning_rate(
        config,
        config.adversarial_learning_rate,
        config.adversarial_steps,
        config.adversarial_milestones,
    )


def _learning_rate(
    config: TrainConfig, peak: float, steps: int, shares: tuple[float, ...]
) -> Schedule:
    """Return the rate within a part, and within the steps that round after it."""

    def part(peak: float, steps: int, shares: tuple[float, ...]) -> Schedule:
        if config.decay == "cosine":
            return cosine(peak, steps, warmup=config.warmup, floor=peak / 1000)
        falls = [round(share * steps) for share in shares]
        return milestones(peak, falls, config.milestone_factor, warmup=config.warmup)

    if not config.quantisation_steps:
        return part(peak, steps, shares)
    rounding = part(config.quantisation_learning_rate, config.quantisation_steps, ())
    return followed(part(peak, steps, shares), steps, rounding)


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
