"""A watch for rectifiers that have died: channels that are zero whatever the picture.

A step that is too long can push a channel's values below zero for every input. No gradient reaches
it any more, so it stays there, and the network goes on as a smaller one. The loss hardly shows it.
"""

import logging
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.game import Batch
from core.trainer import Trainer

__all__ = ["DeadUnits", "dead_share"]

logger = logging.getLogger(__name__)

_TOO_MANY = 0.2


@torch.no_grad()
def dead_share(network: nn.Module, lr: Tensor) -> float:
    """Return the share of the channels behind ``nn.ReLU`` that are zero all over ``lr``.

    Args:
        network: any network.
        lr: pictures ``[N, 3, H, W]`` in [0, 1] on the network's device.

    Returns:
        0 to 1; 0 for a network without such rectifiers.
    """
    alive: list[Tensor] = []

    def look(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        alive.append(output.amax(dim=(0, 2, 3)) > 0)

    hooks = [m.register_forward_hook(look) for m in network.modules() if isinstance(m, nn.ReLU)]
    was_training = network.training
    network.eval()  # statistics of batches are not to see these pictures
    try:
        network(lr)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return 1 - float(torch.cat(alive).float().mean()) if alive else 0.0


class DeadUnits:
    """Measures a trainer's generator, and warns once when a fifth of its rectifiers are dead."""

    def __init__(self, batch: Batch) -> None:
        """Look at what the generator makes of ``batch.cond``."""
        assert batch.cond is not None
        self._lr = batch.cond
        self._warned = False

    def __call__(self, trainer: Trainer) -> Mapping[str, float]:
        """Return ``generator/dead_units``, as a measure of :meth:`core.run.Run.play`."""
        share = dead_share(trainer.sampler, self._lr.to(trainer.device))
        if share > _TOO_MANY and not self._warned:
            self._warned = True
            logger.warning(
                "%.0f%% of the generator's rectified channels are zero for every picture and learn "
                "no more: start again with a lower --learning-rate or a longer --warmup",
                100 * share,
            )
        return {"generator/dead_units": share}
