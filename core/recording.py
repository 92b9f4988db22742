"""Recorded passes: on a graphics card, a small network's hundreds of launches become one."""

import torch
from torch import Tensor, nn

from core.precision import Precision, autocast

__all__ = ["forget_passes", "record_passes"]


def record_passes(network: nn.Module, example: Tensor, precision: Precision) -> None:
    """Record a network's forward and backward pass as CUDA graphs, in place.

    From then on it replays them whenever it is called in the mode, training or evaluation, that it
    is in now; in the other mode nothing changes. Python needs milliseconds to launch the
    operations of a small network one by one, longer than the card needs to do them.

    Each call must have the example's shape, a result lasts until the next call, and gradients are
    not to be accumulated over several. The network's weights and statistics stay as they are.

    Args:
        network: on a CUDA device.
        example: an input that needs no gradient, on the same device.
        precision: number format of the forward pass.
    """
    statistics = [buffer.clone() for buffer in network.buffers()]
    # Without its cache: a weight that was cast before the recording would never be cast again.
    with autocast(precision, example.device, cache=False):
        torch.cuda.make_graphed_callables(network, (example,))
    for buffer, before in zip(network.buffers(), statistics, strict=True):
        buffer.copy_(before)


def forget_passes(network: nn.Module) -> None:
    """Let a network compute anew again, whose passes may have been recorded, in place.

    To be called before its layers are changed, which a recording would not notice.
    """
    vars(network).pop("forward", None)  # where torch puts the replaying one
