"""Number format and memory layout of training, chosen by a short trial where it is not told."""

import contextlib
import logging
import time
from typing import Literal

import torch
import torch.nn.functional as F

from core import distributed

__all__ = ["Precision", "autocast", "pick_precision"]

logger = logging.getLogger(__name__)

Precision = Literal["fp32", "bf16"]


def autocast(
    precision: Precision, device: torch.device, *, cache: bool = True
) -> contextlib.AbstractContextManager[None]:
    """Return the context in which a forward pass of that precision runs.

    Args:
        precision: number format.
        device: that it runs on.
        cache: whether a weight that is used twice is cast once.
    """
    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=cache)


def _seconds(precision: Precision) -> float:
    """Time a forward and backward pass through a few 3x3 convolutions."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(4, 32, 48, 48, generator=generator)
    image = image.contiguous(memory_format=torch.channels_last)
    weight = torch.rand(32, 32, 3, 3, generator=generator).requires_grad_()
    start = time.perf_counter()
    with autocast(precision, image.device):
        hidden = image
        for _layer in range(4):
            hidden = F.conv2d(hidden, weight, padding=1)
    hidden.float().mean().backward()
    return time.perf_counter() - start


def _bf16_pays() -> bool:
    """Try both in turn, so that whatever else the machine does slows them alike."""
    rounds = [(_seconds("bf16"), _seconds("fp32")) for _ in range(9)][1:]  # the first one compiles
    return min(bf16 for bf16, _ in rounds) < 0.8 * min(fp32 for _, fp32 in rounds)


def _fitting(device: torch.device) -> Precision:
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type != "cpu":
        return "fp32"
    return "bf16" if _bf16_pays() else "fp32"


def pick_precision(
    wanted: Literal["auto", "fp32", "bf16"], device: torch.device, begun: Precision | None = None
) -> Precision:
    """Resolve ``"auto"``: bf16 on GPUs that have it, and on processors where it is faster.

    Processors with AVX-512 BF16 or AMX run bf16 several times faster than fp32; others emulate it
    several times slower. A trial of well under a second tells which. Where several processes train
    together, all must call this, and the main one's choice is everybody's.

    Args:
        wanted: the setting.
        device: that training runs on.
        begun: the number format of a run that goes on, which ``"auto"`` keeps; a warning says so
            where it would be another one now.
    """
    if wanted != "auto":
        return wanted
    fitting: Precision = distributed.gather(_fitting(device))[0]
    if begun not in (None, fitting):
        logger.warning(
            "the run goes on in %s, as it began, though --precision auto would take %s here now",
            begun, fitting,
        )  # fmt: skip
    return begun or fitting
