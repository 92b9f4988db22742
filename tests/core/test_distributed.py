"""Two processes under torchrun train as one with twice the batch; alone, nothing is sent."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core import distributed
from core.checkpoint import load_state
from tests.programs import run


def ended(out: Path, *launcher: str, shares: int) -> dict[str, Any]:
    code, output = run("-m", *launcher, "tests.core.two_processes", str(out), str(shares))
    assert code == 0, output
    return load_state(out)


@pytest.mark.slow
def test_two_processes_equal_one_with_the_double_batch_lazy_terms_included(tmp_path: Path) -> None:
    two = ended(
        tmp_path / "two", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m",
        shares=1,
    )  # fmt: skip
    one = ended(tmp_path / "one", shares=2)
    assert (two["processes"], one["processes"]) == (2, 1)
    assert (len(two["random"]), len(one["random"])) == (2, 1)
    for player in ("generator", "discriminator"):
        for name, weight in one[player].items():
            assert torch.allclose(two[player][name], weight, atol=1e-5), (player, name)
    for name, weight in one["ema"]["network"].items():
        assert torch.allclose(two["ema"]["network"][name], weight, atol=1e-5)


def test_processes_wait_for_one_that_works_alone_for_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patience: list[timedelta] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(
        "torch.distributed.init_process_group", lambda _backend, timeout: patience.append(timeout)
    )
    distributed.join(torch.device("cpu"))
    assert patience[0] >= timedelta(hours=12)


def test_a_process_alone_is_the_main_one_and_keeps_its_gradients() -> None:
    assert (distributed.rank(), distributed.size(), distributed.is_main()) == (0, 1, True)
    assert distributed.join(torch.device("cpu")) == torch.device("cpu")
    network = nn.Linear(2, 1)
    network.weight.grad = torch.ones(1, 2)
    distributed.average_gradients(network)
    distributed.share_weights(network)
    assert torch.equal(network.weight.grad, torch.ones(1, 2))
    assert network.bias.grad is None
    assert distributed.agree(True, torch.device("cpu"))
    assert not distributed.agree(False, torch.device("cpu"))
    assert distributed.gather("x") == ["x"]
    low, high = distributed.extremes(torch.tensor([1.0, -2.0, 0.0]))
    assert (float(low), float(high)) == (-2.0, 1.0)
    distributed.leave()
