"""The generator that a run starts from: a fresh one, or that of a file."""

from dataclasses import replace
from typing import Any

from core.command import UserError, option
from srgan.community import is_community
from srgan.config import RECIPES, TrainConfig
from srgan.generators import Generator, GeneratorSpec, load_generator
from srgan.published import load_published

__all__ = ["starting_generator"]


def starting_generator(
    config: TrainConfig,
) -> tuple[Generator, GeneratorSpec, dict[str, Any], TrainConfig]:
    """Return the generator to train, in training mode on the CPU.

    Returns:
        It and its spec, what its file tells of its training, and the settings, which name that
        generator.

    Raises:
        UserError: if there is no such generator, or settings other than the recipe's ask for
            another one than the file holds.
    """
    if config.init is None:
        spec = GeneratorSpec(config.generator, config.scale, config.width, config.blocks)
        return spec.build(), spec, {}, config
    training: dict[str, Any] = {}
    if is_community(config.init):
        network, spec = load_published(config.init)
    else:
        network, spec, training = load_generator(config.init)
    return network.train(), spec, training, _naming(config, spec)


def _naming(config: TrainConfig, spec: GeneratorSpec) -> TrainConfig:
    """Return settings that tell of ``spec``, where they do not ask for another one."""
    held = {
        "generator": spec.name, "scale": spec.scale, "width": spec.width, "blocks": spec.blocks,
    }  # fmt: skip
    for name, value in held.items():
        asked = getattr(config, name)
        # Whether the recipe's own value was asked for, or just left, cannot be told.
        if asked not in (value, getattr(RECIPES[config.recipe], name)):
            raise UserError(
                f"{option(name)} {asked} is not what {config.init} holds, which is {value}: "
                "leave the option out"
            )
    return replace(config, **held)  # type: ignore[arg-type]
