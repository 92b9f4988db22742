"""Give a plain or light generator more blocks, which change nothing until they are trained.

Chen, Goodfellow and Shlens 2016, "Net2Net": a network that has learnt as much as it can hold goes
on as a deeper one from where it stands, instead of from the start. New blocks let through what
comes to them.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import torch
import tyro

from core.command import UserError, run_command
from srgan.generators import Light, load_generator, save_generator

__all__ = ["DeepenConfig", "deepen"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeepenConfig:
    """What to deepen.

    Attributes:
        generator: the generator.safetensors of a plain or light generator.
        blocks: of the deeper one.
        out: gets it, to train on with --init.
        seed: of the new blocks' first convolutions.
    """

    generator: Annotated[Path, tyro.conf.Positional]
    blocks: int
    out: Path
    seed: int = 0


def deepen(config: DeepenConfig) -> bool:
    """Write the deeper generator, which gives the same pictures.

    Raises:
        UserError: if the file cannot be read, or holds another generator than a plain or light one
            with fewer blocks.
    """
    network, spec, training = load_generator(config.generator)
    if not isinstance(network, Light):
        raise UserError(
            f"{config.generator} is {spec.name}; only plain and light generators are deepened"
        )
    if config.blocks <= spec.blocks:
        raise UserError(
            f"--blocks must be more than the {spec.blocks} of {config.generator}, "
            f"not {config.blocks}"
        )
    deeper = replace(spec, blocks=config.blocks)
    torch.manual_seed(config.seed)
    grown = deeper.build()
    assert isinstance(grown, Light)
    for block in list(grown.body)[spec.blocks :]:
        assert isinstance(block, grown.block)
        block.pass_through()
    weights = grown.state_dict() | network.state_dict()
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_generator(config.out, deeper, weights, training)
    logger.info("wrote %s, with %d blocks", config.out, config.blocks)
    return True


def main() -> None:
    """Run ``python -m srgan.deepen``."""
    run_command(DeepenConfig, deepen)


if __name__ == "__main__":
    main()
