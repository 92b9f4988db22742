"""A recorded network does what it did before: the same pictures, gradients and statistics."""

import copy

import pytest
import torch
from torch import Tensor, nn

from core.precision import Precision, autocast
from core.recording import forget_passes, record_passes

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="passes are recorded on CUDA devices only"
)
CARD = torch.device("cuda")


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 3, 3)
    )
    return layers.to(CARD)


def gradients(net: nn.Module, x: Tensor, precision: Precision) -> list[Tensor]:
    net.zero_grad()
    with autocast(precision, CARD):
        net(x).float().square().mean().backward()
    return [p.grad.clone() for p in net.parameters() if p.grad is not None]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_learns_as_it_did(precision: Precision) -> None:
    plain = network()
    recorded = copy.deepcopy(plain)
    record_passes(recorded, torch.rand(4, 3, 16, 16, device=CARD), precision)
    optimizers = [torch.optim.SGD(net.parameters(), 0.1) for net in (plain, recorded)]
    for seed in range(3):
        torch.manual_seed(seed)
        x = torch.rand(4, 3, 16, 16, device=CARD)
        for one, other in zip(
            gradients(plain, x, precision), gradients(recorded, x, precision), strict=True
        ):
            torch.testing.assert_close(one, other, rtol=2e-2, atol=1e-4)
        for optimizer in optimizers:
            optimizer.step()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(recorded.state_dict()[name], value, rtol=2e-2, atol=1e-4)


def test_recording_changes_nothing_and_evaluation_takes_any_shape() -> None:
    plain = network()
    recorded = copy.deepcopy(plain)
    record_passes(recorded, torch.rand(4, 3, 16, 16, device=CARD), "fp32")
    for name, value in plain.state_dict().items():
        assert torch.equal(recorded.state_dict()[name], value)
    x = torch.rand(1, 3, 24, 20, device=CARD)
    torch.testing.assert_close(recorded.eval()(x), plain.eval()(x))


def test_a_network_that_forgets_its_recording_computes_with_layers_that_were_changed() -> None:
    recorded = network()
    record_passes(recorded, torch.rand(4, 3, 16, 16, device=CARD), "fp32")
    forget_passes(recorded)
    assert isinstance(recorded, nn.Sequential)
    recorded[3] = nn.Identity()
    made: Tensor = recorded(torch.rand(2, 3, 9, 9, device=CARD))
    assert made.shape == (2, 16, 9, 9)
