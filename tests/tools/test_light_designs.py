"""The designs that are compared differ in their bodies and in nothing else."""

from pathlib import Path

import pytest
import torch

from core.command import UserError
from tools.export_onnx import farthest_reach
from tools.light_designs import DESIGNS, DesignsConfig


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_upscales_and_knows_its_halo(design: str) -> None:
    torch.manual_seed(0)
    network = DESIGNS[design](4, 16, 3).eval()
    assert network(torch.rand(2, 3, 5, 7)).shape == (2, 3, 20, 28)
    assert farthest_reach(network) == network.halo == 8


def test_the_designs_cost_about_the_same() -> None:
    costs = [build(4, 32, 4).macs_per_lr_pixel for build in DESIGNS.values()]
    assert max(costs) < 1.15 * min(costs)


def test_no_time_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--minutes must be positive"):
        DesignsConfig("div2k", (), tmp_path, minutes=0)
