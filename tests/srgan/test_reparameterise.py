"""Branches begin as nothing, learn, and fold into the kernel without a trace."""

import pytest
import torch
from torch import Tensor

from srgan.generators import GeneratorSpec
from srgan.reparameterise import folded_state, reparameterise

SPECS = [GeneratorSpec("light", 2, 16, 2), GeneratorSpec("srresnet", 2, 8, 1)]


def trained(spec: GeneratorSpec) -> torch.nn.Module:
    """A network with branches after a few steps in double precision."""
    torch.manual_seed(0)
    network = reparameterise(spec.build().double())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.rand(2, 3, 9, 8, dtype=torch.float64)).square().mean().backward()
        optimizer.step()
    return network.eval()


@pytest.mark.parametrize("spec", SPECS, ids=str)
@torch.no_grad()
def test_a_network_starts_as_what_it_was(spec: GeneratorSpec) -> None:
    torch.manual_seed(0)
    network = spec.build().eval()
    lr = torch.rand(1, 3, 7, 6)
    before: Tensor = network(lr)
    count = sum(p.numel() for p in network.parameters())
    assert reparameterise(network) is network
    assert torch.equal(network(lr), before)
    assert sum(p.numel() for p in network.parameters()) > 2 * count
    assert sum(p.numel() for p in reparameterise(network).parameters()) == sum(
        p.numel() for p in network.parameters()
    )


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_branch_learns(spec: GeneratorSpec) -> None:
    fresh = dict(reparameterise(spec.build()).named_parameters())
    branches = sum(p.dim() == 4 and p.shape[1] > 4 and p.shape[2] == 3
                   for p in spec.build().parameters())  # fmt: skip
    narrow = [name for name in fresh if name.endswith("narrow")]
    assert len(narrow) == branches
    learned = trained(spec).state_dict()
    assert all(float(learned[name].abs().sum()) > 0 for name in narrow)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_folding_is_exact_and_leaves_a_plain_network(spec: GeneratorSpec) -> None:
    network = trained(spec)
    plain = spec.build().double().eval()
    plain.load_state_dict(folded_state(network))
    lr = torch.rand(2, 3, 11, 5, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(plain(lr), network(lr), rtol=1e-12, atol=1e-14)
    assert any("narrow" in name for name in network.state_dict())  # the original is untouched


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_folding_a_plain_network_changes_nothing(spec: GeneratorSpec) -> None:
    state = spec.build().state_dict()
    network = spec.build()
    network.load_state_dict(state)
    for name, tensor in folded_state(network).items():
        assert torch.equal(tensor, state[name])
