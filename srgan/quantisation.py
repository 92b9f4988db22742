"""Quantisation-aware training (Jacob et al. 2018): a network computes as its 8-bit twin will.

What a convolution reads is rounded to 256 levels between running extremes, and each output
channel's kernel to 255 levels around 0, as the integer convolution of the exported twin does it;
gradients pass through the rounding as if it were not there. Joins of branches are not rounded.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from core import distributed
from core.recording import forget_passes
from core.trainer import Trainer

__all__ = ["is_rounding", "quantisation_aware", "round_from_now"]

_MOMENTUM = 0.01  # of the running extremes
_TINY = torch.finfo(torch.float32).eps


class _Rounding(nn.Module):
    """Rounds a convolution's kernel and, by what it has been shown, its input."""

    low: Tensor
    high: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(0.0))
        self.register_buffer("high", torch.tensor(0.0))

    def forward(self, kernel: Tensor) -> Tensor:
        """Round ``[O, I, H, W]`` to signed 8-bit integers and back, per output channel."""
        scale = (kernel.detach().abs().amax(dim=(1, 2, 3)) / 127).clamp(min=_TINY)
        zero = torch.zeros_like(scale, dtype=torch.int32)
        rounded: Tensor = torch.fake_quantize_per_channel_affine(kernel, scale, zero, 0, -127, 127)
        return rounded

    def round_input(self, x: Tensor) -> Tensor:
        """Round to unsigned 8-bit integers and back, one range for the whole of ``x``."""
        x = x.float()
        if self.training:
            self._watch(x.detach())
        scale = ((self.high - self.low) / 255).clamp(min=_TINY)
        zero = (-self.low / scale).round().to(torch.int32)
        rounded: Tensor = torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)
        return rounded

    @torch.no_grad()
    def _watch(self, x: Tensor) -> None:
        weight = 1.0 if bool(self.high == self.low) else _MOMENTUM
        low, high = distributed.extremes(x)  # so that all processes train one network
        self.low.lerp_(low.clamp(max=0), weight)  # an integer must stand for 0 exactly
        self.high.lerp_(high.clamp(min=0), weight)


def _round_input(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    rounding = module.get_submodule("parametrizations.weight")[-1]  # type: ignore[index]
    assert isinstance(rounding, _Rounding)
    return (rounding.round_input(inputs[0]), *inputs[1:])


def quantisation_aware(network: nn.Module) -> nn.Module:
    """Let every convolution of ``network`` round its kernel and what it reads, in place.

    Call it after :func:`srgan.reparameterise.reparameterise`: a branch is then rounded together
    with its kernel, as it will be once folded. ``srgan.reparameterise.folded_state`` returns the
    plain network again, with rounded kernels.

    Args:
        network: any network; in training mode it follows the extremes of its activations, over
            all processes that train together, in evaluation mode it keeps to those it has seen.

    Returns:
        The same network.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            rounding = _Rounding().to(module.weight.device)
            parametrize.register_parametrization(module, "weight", rounding)
            module.register_forward_pre_hook(_round_input)
    return network


def is_rounding(names: Iterable[str]) -> bool:
    """Tell whether a network with such names in its state dict rounds as its 8-bit twin."""
    return any(".parametrizations.weight." in name and name.endswith(".high") for name in names)


def round_from_now(trainer: Trainer) -> None:
    """Let a trainer's generator and its smoothed copy round, in place; optimisers go on as before.

    The state that the trainer gives and takes is that of the rounding networks from then on.
    """
    for network in (trainer.game.generator, *([trainer.ema.network] if trainer.ema else [])):
        forget_passes(network)
        quantisation_aware(network)
