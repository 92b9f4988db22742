"""LPIPS: a distance on AlexNet's features, or a sentence on how to get its weights."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
import torchvision
from torch import nn

from core.command import UserError
from srgan.lpips import LPIPS


def random_alexnet(**_: Any) -> nn.Module:
    torch.manual_seed(0)
    network = nn.Module()
    network.features = nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )  # fmt: skip
    return network


def test_it_is_a_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.models, "alexnet", random_alexnet)
    metric = LPIPS()
    a, b = torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert float(metric(a, a)) == 0
    assert float(metric(a, b)) == pytest.approx(float(metric(b, a)))
    assert float(metric(a, b)) > float(metric(a, 0.9 * a + 0.1 * b)) > 0


def test_without_a_network_the_error_says_where_the_weights_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refused)
    with pytest.raises(UserError, match=r"no network.*put alexnet-\w+-\w+\.pth into") as refusal:
        LPIPS()
    assert f"{tmp_path}/checkpoints" in str(refusal.value)
