"""Generators by name, and the files that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from core.checkpoint import CheckpointError, load_state, save_state
from core.command import UserError
from srgan.generators.base import Generator
from srgan.generators.light import Light, Plain
from srgan.generators.rrdb import RRDB
from srgan.generators.srresnet import SRResNet

__all__ = [
    "RRDB",
    "Generator",
    "GeneratorName",
    "GeneratorSpec",
    "Light",
    "Plain",
    "SRResNet",
    "load_generator",
    "save_generator",
]

GeneratorName = Literal["plain", "light", "srresnet", "rrdb"]

_NETWORKS: Mapping[str, type[Light] | type[RRDB] | type[SRResNet]] = MappingProxyType(
    {"plain": Plain, "light": Light, "rrdb": RRDB, "srresnet": SRResNet}
)


@dataclass(frozen=True)
class GeneratorSpec:
    """All that is needed to build a generator.

    Attributes:
        name: which network.
        scale: output side over input side.
        width: channels of its body.
        blocks: residual blocks.
    """

    name: GeneratorName
    scale: int
    width: int
    blocks: int

    def build(self) -> Generator:
        """Return the network with fresh weights.

        Raises:
            UserError: if the network cannot have such a scale, width or number of blocks.
        """
        if self.width < 1:
            raise UserError(f"--width must be at least 1, not {self.width}")
        if self.blocks < 1:
            raise UserError(f"--blocks must be at least 1, not {self.blocks}")
        try:
            return _NETWORKS[self.name](self.scale, self.width, self.blocks)
        except ValueError as error:
            raise UserError(str(error)) from error


def save_generator(
    path: Path, spec: GeneratorSpec, weights: Mapping[str, Any], training: Mapping[str, Any]
) -> None:
    """Write a generator's weights with what is needed to build it and to know its origin.

    Args:
        path: a ``.safetensors`` file, replaced atomically.
        spec: the architecture.
        weights: its state dict.
        training: how it was trained: plain numbers, strings, lists and dicts.

    Raises:
        UserError: if the file would not be known again by its name.
    """
    if path.suffix != ".safetensors":
        raise UserError(f"a generator's file must end in .safetensors, not {path.name!r}")
    save_state(
        path,
        {"generator": vars(spec), "weights": weights, "training": training},
    )


def load_generator(path: Path) -> tuple[Generator, GeneratorSpec, dict[str, Any]]:
    """Read a file of :func:`save_generator`.

    Returns:
        The network in eval mode on the CPU, its spec, and how it was trained.

    Raises:
        CheckpointError: if the file is not a generator of this project.
    """
    state = load_state(path)
    try:
        spec = GeneratorSpec(**state["generator"])
        network = spec.build()
        network.load_state_dict(state["weights"])
        training = state["training"]
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} does not hold a super-resolution generator: {error}"
        ) from error
    return network.eval(), spec, training
