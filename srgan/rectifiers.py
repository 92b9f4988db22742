"""A watch for rectifiers that die: channels that are zero whatever the picture, or nearly so.

A step that is too long pushes values below zero for more and more pictures, and at last for all. No
gradient reaches such a channel any more, so it stays there, and the network goes on as a smaller
one. The loss hardly shows it: after 400 steps at twice the right rate it is still the same, while
hardly one value in thirty is above zero.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.game import Batch
from core.trainer import Trainer

__all__ = ["Rectified", "RectifierWatch", "rectified"]

logger = logging.getLogger(__name__)

_TOO_MANY_DEAD = 0.2
_TOO_FEW_ACTIVE = 0.05  # sound layers are at 0.2 to 0.5


@dataclass(frozen=True)
class Rectified:
    """What a network's ``nn.ReLU`` layers make of some pictures.

    Attributes:
        dead: share of all channels that are zero everywhere.
        active: share of values above zero, in the layer where that is least.
    """

    dead: float
    active: float


@torch.no_grad()
def rectified(network: nn.Module, lr: Tensor) -> Rectified | None:
    """Look at what is behind each ``nn.ReLU``.

    Args:
        network: any network.
        lr: pictures ``[N, 3, H, W]`` in [0, 1] on the network's device.

    Returns:
        What was seen; None where the network has no such layer.
    """
    positive: list[Tensor] = []

    def look(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        positive.append((output > 0).float().mean(dim=(0, 2, 3)))

    hooks = [m.register_forward_hook(look) for m in network.modules() if isinstance(m, nn.ReLU)]
    was_training = network.training
    network.eval()  # statistics of batches are not to see these pictures
    try:
        network(lr)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    if not positive:
        return None
    dead = float((torch.cat(positive) == 0).float().mean())
    return Rectified(dead, min(float(layer.mean()) for layer in positive))


class RectifierWatch:
    """Measures a trainer's generator, and warns once when a layer of it is dying."""

    def __init__(self, batch: Batch) -> None:
        """Look at what the generator makes of ``batch.cond``."""
        assert batch.cond is not None
        self._lr = batch.cond
        self._warned = False

    def __call__(self, trainer: Trainer) -> Mapping[str, float]:
        """Return ``generator/dead`` and ``generator/active``, as :class:`Rectified` has them.

        A generator without rectifiers has neither.
        """
        found = rectified(trainer.sampler, self._lr.to(trainer.device))
        if found is None:
            return {}
        dying = found.dead > _TOO_MANY_DEAD or found.active < _TOO_FEW_ACTIVE
        if dying and not self._warned:
            self._warned = True
            logger.warning(
                "the generator's rectifiers die: %.0f%% of the channels are zero for every "
                "picture, and in one layer %.0f%% of the values are; start again with a lower "
                "--learning-rate or a longer --warmup",
                100 * found.dead, 100 * (1 - found.active),
            )  # fmt: skip
        return {"generator/dead": found.dead, "generator/active": found.active}
