"""Muon: orthogonal updates for matrices, Adam for the rest."""

import pytest
import torch
from torch import nn

from core.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 40, 16), (1, 8, 8)])
def test_singular_values_are_carried_near_one_and_vectors_kept(
    shape: tuple[int, int, int],
) -> None:
    random = torch.Generator().manual_seed(0)
    matrices = torch.randn(shape, generator=random)
    u, s, vh = torch.linalg.svd(matrices, full_matrices=False)
    got = orthogonalise(matrices)
    carried = torch.diagonal(u.mT @ got @ vh.mT, dim1=1, dim2=2)
    large = s > 0.05 * s.amax(dim=1, keepdim=True)
    assert float(carried[large].min()) > 0.6
    assert float(carried.max()) < 1.25
    crossed = u.mT @ got @ vh.mT - torch.diag_embed(carried)
    assert float(crossed.abs().max()) < 1e-3


def test_the_scale_of_a_gradient_does_not_matter() -> None:
    matrices = torch.randn(2, 6, 10)
    assert torch.allclose(orthogonalise(matrices), orthogonalise(1000 * matrices), atol=1e-4)


def test_the_others_move_as_adam_moves_them() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)  # 3 inputs count as pixels: no matrix
    theirs.load_state_dict(ours.state_dict())
    muon, adam = Muon(ours, lr=0.01), torch.optim.Adam(theirs.parameters(), lr=0.01)
    for _ in range(5):
        x = torch.randn(8, 3)
        for network, optimizer in ((ours, muon), (theirs, adam)):
            optimizer.zero_grad()
            network(x).square().sum().backward()
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_a_kernel_moves_by_an_orthogonal_matrix_of_adams_size() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(16, 16, 3, bias=False)
    before = layer.weight.detach().clone()
    optimizer = Muon(layer, lr=0.1)
    layer(torch.randn(2, 16, 6, 6)).square().sum().backward()
    assert layer.weight.grad is not None
    gradient = layer.weight.grad.clone()
    optimizer.step()
    update = (layer.weight - before).detach()
    singular = torch.linalg.svdvals(update.flatten(1)) / (0.1 * 0.2 * 144**0.5)
    assert 0.6 < float(singular.min()) < float(singular.max()) < 1.25
    assert float((gradient * update).sum()) < 0


def test_memory_layout_does_not_change_the_result() -> None:
    torch.manual_seed(0)
    one, other = nn.Conv2d(16, 8, 3), nn.Conv2d(16, 8, 3)
    other.load_state_dict(one.state_dict())
    other.to(memory_format=torch.channels_last)
    x = torch.randn(2, 16, 6, 6)
    for network in (one, other):
        optimizer = Muon(network, lr=0.05)
        network(x).square().sum().backward()
        optimizer.step()
    assert torch.allclose(one.weight, other.weight, atol=1e-5)


@pytest.mark.parametrize(("lr", "momentum"), [(0.0, 0.9), (-1.0, 0.9), (0.1, 1.0), (0.1, -0.1)])
def test_numbers_out_of_range_are_refused(lr: float, momentum: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        Muon(nn.Linear(8, 8), lr=lr, momentum=momentum)
