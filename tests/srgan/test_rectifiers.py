"""Rectifiers that die are counted, and a run that has such a layer says so."""

import logging

import pytest
import torch
from torch import nn

from core.game import Batch
from core.trainer import Trainer
from srgan.game import SuperResolutionGame
from srgan.generators import Light, SRResNet
from srgan.rectifiers import RectifierWatch, rectified
from tests.core.games import Counting

PICTURES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def with_dead(channels: int) -> Light:
    """Two blocks of 16 channels, ``channels`` of the first one's dead, all others always on."""
    torch.manual_seed(0)
    network = Light(2, 16, 2)
    with torch.no_grad():
        for block, dead in zip(network.body, (channels, 0), strict=True):
            bias = block.get_parameter("first.bias")
            bias.fill_(10.0)
            bias[:dead] = -10.0
    return network


@pytest.mark.parametrize("channels", [0, 3, 16])
def test_channels_that_are_zero_everywhere_and_values_above_are_counted(channels: int) -> None:
    found = rectified(with_dead(channels), PICTURES)
    assert found is not None
    assert found.dead == pytest.approx(channels / 32)
    assert found.active == pytest.approx(1 - channels / 16)


def test_a_channel_that_is_seldom_on_is_not_dead() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), nn.ReLU())
    nn.init.constant_(network[0].get_parameter("weight"), 1.0)
    pictures = -torch.ones(1, 3, 4, 5)
    pictures[0, :, 1, 1] = 1.0
    found = rectified(network, pictures)
    assert found is not None
    assert found.dead == 0
    assert found.active == pytest.approx(1 / 20)


def test_looking_changes_nothing() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    rectified(network, PICTURES)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def watched(network: nn.Module, caplog: pytest.LogCaptureFixture) -> tuple[list[float], list[str]]:
    trainer = Trainer(SuperResolutionGame(network, nn.Identity()), [], Counting())
    watch = RectifierWatch(Batch(torch.zeros(2, 3, 16, 16), PICTURES))
    with caplog.at_level(logging.WARNING):
        measured = [watch(trainer) for _ in range(2)]
    shares = [numbers["generator/dead"] for numbers in measured if numbers]
    return shares, [record.getMessage() for record in caplog.records]


def test_a_dying_layer_is_reported_once_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    shares, (message,) = watched(with_dead(16), caplog)
    assert shares == [0.5, 0.5]
    assert "50% of the channels are zero for every picture" in message
    assert "100% of the values are" in message
    assert "lower --learning-rate" in message


def test_few_dead_channels_are_only_measured(caplog: pytest.LogCaptureFixture) -> None:
    shares, messages = watched(with_dead(3), caplog)
    assert shares == pytest.approx([3 / 32, 3 / 32])
    assert messages == []


def test_a_generator_without_rectifiers_is_not_measured(caplog: pytest.LogCaptureFixture) -> None:
    assert rectified(SRResNet(2, 4, 1), PICTURES) is None
    assert watched(SRResNet(2, 4, 1), caplog) == ([], [])
