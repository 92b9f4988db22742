"""Dead rectifiers are counted, and a run that has many of them says so."""

import logging

import pytest
import torch
from torch import nn

from core.game import Batch
from core.trainer import Trainer
from srgan.dead_units import DeadUnits, dead_share
from srgan.game import SuperResolutionGame
from srgan.generators import Light, SRResNet
from tests.core.games import Counting

PICTURES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def with_dead(channels: int) -> Light:
    """Two blocks of 16 channels each, ``channels`` of the first one's dead."""
    torch.manual_seed(0)
    network = Light(2, 16, 2)
    with torch.no_grad():
        for block, dead in zip(network.body, (channels, 0), strict=True):
            bias = block.get_parameter("first.bias")
            bias.fill_(10.0)
            bias[:dead] = -10.0
    return network


@pytest.mark.parametrize("channels", [0, 3, 16])
def test_channels_that_are_zero_everywhere_are_counted(channels: int) -> None:
    assert dead_share(with_dead(channels), PICTURES) == pytest.approx(channels / 32)


def test_looking_changes_nothing() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    dead_share(network, PICTURES)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_without_rectifiers_has_none_that_are_dead() -> None:
    assert dead_share(SRResNet(2, 4, 1), PICTURES) == 0


def watched(network: nn.Module, caplog: pytest.LogCaptureFixture) -> tuple[list[float], list[str]]:
    trainer = Trainer(SuperResolutionGame(network, nn.Identity()), [], Counting())
    watch = DeadUnits(Batch(torch.zeros(2, 3, 16, 16), PICTURES))
    with caplog.at_level(logging.WARNING):
        shares = [watch(trainer)["generator/dead_units"] for _ in range(2)]
    return shares, [record.getMessage() for record in caplog.records]


def test_many_are_reported_once_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    shares, (message,) = watched(with_dead(16), caplog)
    assert shares == [0.5, 0.5]
    assert message.startswith("50% of the generator's rectified channels")
    assert "lower --learning-rate" in message


def test_few_are_only_measured(caplog: pytest.LogCaptureFixture) -> None:
    shares, messages = watched(with_dead(3), caplog)
    assert shares == pytest.approx([3 / 32, 3 / 32])
    assert messages == []
