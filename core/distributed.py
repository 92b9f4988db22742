"""Several processes that train one model: each on batches of its own, all with equal weights.

Gradients are averaged by hand after each phase's backward pass, in one flat message. A wrapper that
averages inside the backward pass would miss terms whose graph it did not see built, such as a
gradient penalty, and leave the processes silently different.
"""

import io
import os
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = [
    "agree",
    "average_gradients",
    "extremes",
    "gather",
    "is_main",
    "join",
    "leave",
    "rank",
    "share_weights",
    "size",
]

# Some work is done by one process while the others wait: 20 GB are fetched, large pictures are
# validated on. Where one fails, torchrun ends the others at once, however patient they are.
_PATIENCE = timedelta(days=1)


def join(device: torch.device) -> torch.device:
    """Join the processes that torchrun started, if it did; return this process's device."""
    if "WORLD_SIZE" not in os.environ or dist.is_initialized():
        return device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    return device


def leave() -> None:
    """Leave the group, if there is one, once all are ready to.

    A process that ends while another still talks to it can be taken down by its own connections.
    """
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def rank() -> int:
    """Return this process's number, from 0; 0 where it is alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    """Return how many processes train together; 1 where this one is alone."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Return whether this process is the one that writes."""
    return rank() == 0


@torch.no_grad()
def average_gradients(network: nn.Module) -> None:
    """Replace each gradient by its mean over all processes."""
    if size() == 1:
        return
    # A parameter that no term of this process reached counts as zero: all must send alike.
    gradients = [
        torch.zeros_like(p) if p.grad is None else p.grad
        for p in network.parameters()
        if p.requires_grad
    ]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= size()
    parts = flat.split([gradient.numel() for gradient in gradients])
    parameters = [p for p in network.parameters() if p.requires_grad]
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)


@torch.no_grad()
def share_weights(network: nn.Module) -> None:
    """Give every process the weights and buffers of process 0."""
    if size() > 1:
        for tensor in [*network.parameters(), *network.buffers()]:
            dist.broadcast(tensor, src=0)


@torch.no_grad()
def extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the least and the greatest element of a floating-point ``x`` over all processes.

    All must call this.
    """
    low, high = x.amin(), x.amax()
    if size() > 1:
        both = torch.stack([-low, high])  # in one message
        dist.all_reduce(both, op=dist.ReduceOp.MAX)
        low, high = -both[0], both[1]
    return low, high


def agree(wish: bool, device: torch.device) -> bool:
    """Return whether any process wishes so."""
    if size() == 1:
        return wish
    votes: Tensor = torch.tensor(float(wish), device=device)
    dist.all_reduce(votes, op=dist.ReduceOp.MAX)
    return bool(votes.item())


def gather(value: Any) -> list[Any]:
    """Return the values (tensors, numbers, strings and containers of these) of all processes."""
    if size() == 1:
        return [value]
    packed: list[Any] = [None] * size()
    file = io.BytesIO()
    torch.save(value, file)  # which, unlike pickle, takes every kind of tensor
    dist.all_gather_object(packed, file.getvalue())
    return [torch.load(io.BytesIO(part), weights_only=True) for part in packed]
