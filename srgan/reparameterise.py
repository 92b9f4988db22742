"""Training-time branches that fold into one convolution, exactly (Ding et al. 2021; ECBSR 2021).

A kernel trains better as a sum: itself plus the product of a 1x1 convolution to more channels and
a 3x3 one back. Since nothing non-linear lies between, the sum is one kernel again, and it is taken
on the kernels rather than on the pictures, so that training costs next to nothing more.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

__all__ = ["folded_state", "reparameterise"]

_PIXEL_CHANNELS = 4  # first layers read pictures; there is too little to expand


class _Expansion(nn.Module):
    """Adds to a kernel that of a widening 1x1 convolution followed by one of the kernel's size."""

    def __init__(self, kernel: Tensor, factor: int) -> None:
        super().__init__()
        outputs, inputs, height, width = kernel.shape
        hidden = factor * max(outputs, inputs)
        widen = torch.randn(hidden, inputs, dtype=kernel.dtype, device=kernel.device)
        self.widen = nn.Parameter(widen / math.sqrt(inputs))
        # Zero, so that the network starts as what it was.
        self.narrow = nn.Parameter(kernel.new_zeros(outputs, hidden, height, width))

    def forward(self, kernel: Tensor) -> Tensor:
        return kernel + torch.einsum("ohyx,hi->oiyx", self.narrow, self.widen)


def reparameterise(network: nn.Module, factor: int = 2) -> nn.Module:
    """Give each 3x3 convolution of ``network`` a second branch, in place; its output stays equal.

    Args:
        network: any network; first layers, and kernels that have a branch, are left alone.
        factor: channels of the branch over those of the convolution.

    Returns:
        The same network.
    """
    for module in network.modules():
        if (
            isinstance(module, nn.Conv2d)
            and module.kernel_size == (3, 3)
            and module.groups == 1
            and module.in_channels > _PIXEL_CHANNELS
            and not parametrize.is_parametrized(module, "weight")
        ):
            parametrize.register_parametrization(
                module, "weight", _Expansion(module.weight.detach(), factor)
            )
    return network


@torch.no_grad()
def folded_state(network: nn.Module) -> dict[str, Tensor]:
    """Return the state dict of the plain network that equals ``network``, its branches folded."""
    state = dict(network.state_dict())
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and parametrize.is_parametrized(module, "weight"):
            branch = f"{path}.parametrizations.weight."
            for name in [name for name in state if name.startswith(branch)]:
                del state[name]
            state[f"{path}.weight"] = module.weight.detach().clone()
    return state
