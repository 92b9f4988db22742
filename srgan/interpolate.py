"""Blend two generators weight by weight: between the sharp one and the faithful one.

Wang et al. 2018, section 3.4: a generator trained against a discriminator and the one that it
started from lie close enough together that every point between them is a generator too.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

from core.command import UserError, run_command
from srgan.generators import load_generator, save_generator

__all__ = ["InterpolateConfig", "interpolate"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InterpolateConfig:
    """What to blend.

    Attributes:
        first: a generator.safetensors.
        second: another one of the same architecture.
        share: of the second, from 0 to 1.
        out: the blend.
    """

    first: Annotated[Path, tyro.conf.Positional]
    second: Annotated[Path, tyro.conf.Positional]
    out: Path
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise UserError(f"--share must be from 0 to 1, not {self.share}")


def interpolate(config: InterpolateConfig) -> bool:
    """Write the blend.

    Raises:
        UserError: if the two are not of one architecture, or cannot be read.
    """
    first, spec, first_training = load_generator(config.first)
    second, other_spec, second_training = load_generator(config.second)
    if spec != other_spec:
        raise UserError(f"{config.first} is {spec}, but {config.second} is {other_spec}")
    others = second.state_dict()
    weights = {
        name: torch.lerp(tensor, others[name], config.share)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in first.state_dict().items()
    }
    training = {"interpolated": [first_training, second_training], "share": config.share}
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_generator(config.out, spec, weights, training)
    logger.info("wrote %s", config.out)
    return True


def main() -> None:
    """Run ``python -m srgan.interpolate``."""
    run_command(InterpolateConfig, interpolate)


if __name__ == "__main__":
    main()
