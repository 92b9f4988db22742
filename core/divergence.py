"""Divergence: numbers that are no longer finite end a run before they replace a checkpoint."""

import math
from collections.abc import Iterable, Mapping
from itertools import chain

import torch
from torch import Tensor, nn

from core.command import UserError

__all__ = ["Diverged", "require_finite_networks", "require_finite_values"]


class Diverged(UserError):
    """The players have diverged; the message says what is no longer finite."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the players have diverged: {what} no longer finite; start again with a lower "
            "--learning-rate"
        )


def require_finite_values(step: int, values: Mapping[str, float]) -> None:
    """Refuse averages that are no longer finite.

    Raises:
        Diverged: if there are any; it names them.
    """
    lost = [name for name, value in values.items() if not math.isfinite(value)]
    if lost:
        verb = "is" if len(lost) == 1 else "are"
        raise Diverged(f"at step {step} {', '.join(lost)} {verb}")


@torch.no_grad()
def require_finite_networks(step: int, networks: Iterable[nn.Module]) -> None:
    """Refuse networks whose weights are no longer finite; the device is read once.

    Raises:
        Diverged: if one holds such a weight.
    """
    tensors: list[Tensor] = [
        tensor
        for network in networks
        for tensor in chain(network.parameters(), network.buffers())
        if tensor.is_floating_point()
    ]
    if tensors and not torch.stack([tensor.isfinite().all() for tensor in tensors]).all():
        raise Diverged(f"at step {step} weights are")
