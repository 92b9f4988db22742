"""What docs/adding.md builds works as it stands."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from core.game import Batch
from core.phase import Forward
from srgan.degradations import Draw
from srgan.game import SuperResolutionGame
from tests.docs.documents import python_blocks
from tests.programs import ROOT
from tools.export_onnx import farthest_reach

PAGE = ROOT / "docs" / "adding.md"


@pytest.fixture(scope="module")
def built() -> Mapping[str, Any]:
    names: dict[str, Any] = {"__name__": "adding"}
    for block in python_blocks(PAGE):
        exec(block, names)
    return names


def test_the_generator_enlarges_and_looks_as_far_as_it_says(built: Mapping[str, Any]) -> None:
    network = built["Stack"](scale=3)
    assert network(torch.rand(2, 3, 7, 5)).shape == (2, 3, 21, 15)
    assert farthest_reach(network) == network.halo


def test_the_terms_pull_at_the_generator(built: Mapping[str, Any]) -> None:
    network = built["Stack"]()
    game = SuperResolutionGame(network, torch.nn.Conv2d(3, 1, 8))
    forward = Forward(game, Batch(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 8, 8)), "generator")
    logits = game.score(forward.fake, forward.batch)
    for loss in (
        built["edge_term"]().function(forward),
        built["exponential"].generator(logits, logits),
    ):
        network.zero_grad()
        loss.backward(retain_graph=True)
        assert all(p.grad is not None and p.grad.any() for p in network.parameters())
    assert float(built["exponential"].discriminator(torch.zeros(3), torch.zeros(3))) == 2.0


def test_the_degradation_depends_on_its_draw_alone_and_gives_levels_of_8_bits(
    built: Mapping[str, Any],
) -> None:
    hr = torch.rand(2, 3, 32, 32)
    first, again, other = (built["Webcam"]()(hr, 4, Draw((seed,), hr.device)) for seed in (1, 1, 2))
    assert first.shape == (2, 3, 8, 8)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(first, first.mul(255).round().div(255))


def test_what_the_page_names_is_there() -> None:
    for name in re.findall(r"`(?:DEGRADATIONS|_NETWORKS|LOSSES|[A-Z]\w+Name)`", PAGE.read_text()):
        sources = [*ROOT.glob("core/*.py"), *ROOT.glob("srgan/**/__init__.py")]
        assert any(name.strip("`") in path.read_text() for path in sources), name
