"""Exponential moving average of a network's weights: the network that is sampled from."""

import copy

import torch
from torch import Tensor, nn

__all__ = ["Ema"]


class Ema:
    """Keeps a smoothed copy of a network.

    Parameters are averaged, ``average += (1 - decay) * (weight - average)``; buffers are copied.
    The decay grows as ``(1 + n) / (10 + n)`` over the first updates, so that the random start is
    forgotten at once.

    Attributes:
        network: the smoothed copy, in eval mode, without gradients.
        updates: how many updates it has seen.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """Start from a copy of ``network``.

        Raises:
            ValueError: if ``decay`` is not in [0, 1).
        """
        if not 0 <= decay < 1:
            raise ValueError(f"ema decay must be at least 0 and below 1, not {decay}")
        self.decay = decay
        self.updates = 0
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards ``network``'s present weights."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averages: list[Tensor] = list(self.network.parameters())
        weights: list[Tensor] = list(network.parameters())
        if averages:
            torch._foreach_lerp_(averages, weights, 1 - decay)
        for kept, present in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(present)
        self.updates += 1
