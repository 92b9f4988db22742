"""A trained generator, ready to sample from.

>>> from core.sampler import load_sampler
>>> sampler = load_sampler("runs/paper-mnist")
>>> pictures = sampler.sample(100, seed=1)
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.checkpoint import CheckpointError, load_state, save_state
from core.game import draw_noise
from core.players import PlayerSpec

__all__ = ["Sampler", "load_sampler", "save_sampler"]


@dataclass(frozen=True)
class Sampler:
    """A generator and what it needs.

    Attributes:
        network: the generator; it samples in eval mode and is left as it was.
        spec: how it is built.
        training: its settings and steps, as plain numbers, strings and lists.
    """

    network: nn.Module
    spec: PlayerSpec
    training: Mapping[str, Any]

    def noise(self, count: int, seed: int = 0) -> Tensor:
        """Draw z, ``[count, latent_size]``: the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        return draw_noise(self.spec.noise, count, self.spec.latent_size, generator=generator)

    @torch.no_grad()
    def pictures(self, noise: Tensor, labels: Tensor | None = None, block: int = 1000) -> Tensor:
        """Map noise to pictures ``[N, C, H, W]`` on the CPU, a block at a time.

        Args:
            noise: ``[N, latent_size]``.
            labels: int64 ``[N]`` for a generator by class; by default the classes in turn.
            block: pictures that are made at a time, so that memory is bounded.
        """
        device = next(self.network.parameters()).device
        inputs: list[Tensor] = [noise]
        if self.spec.classes:
            turns = torch.arange(len(noise)) % self.spec.classes
            inputs.append(turns if labels is None else labels)
        training = self.network.training
        self.network.eval()
        parts = zip(*[part.to(device).split(block) for part in inputs], strict=True)
        pictures = torch.cat([self.network(*part).cpu() for part in parts])
        self.network.train(training)
        return pictures

    def sample(self, count: int, seed: int = 0) -> Tensor:
        """Draw pictures ``[count, C, H, W]`` in one pass: the same for the same seed.

        A generator by class gives the classes in turn.
        """
        return self.pictures(self.noise(count, seed))


def save_sampler(
    path: Path, spec: PlayerSpec, weights: Mapping[str, Tensor], training: Mapping[str, Any]
) -> None:
    """Write a generator to a ``.safetensors`` file, atomically."""
    save_state(path, {"players": asdict(spec), "weights": weights, "training": training})


def load_sampler(path: Path | str) -> Sampler:
    """Read a generator from its file, or from the folder of its run.

    Raises:
        CheckpointError: if there is none.
    """
    file = Path(path)
    if file.is_dir():
        file /= "generator.safetensors"
    state = load_state(file)
    try:
        players = dict(state["players"])
        spec = PlayerSpec(**players | {"shape": tuple(players["shape"])})
        network = spec.build_generator()
        network.load_state_dict(state["weights"])
        return Sampler(network.eval(), spec, state["training"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{file} holds no generator from noise to pictures: {error}"
        ) from error
