"""Feature networks of the perceptual loss."""

import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torchvision.models
from torch import nn

from core.command import UserError
from srgan.features import FeatureNetwork, build_features


@pytest.fixture
def untrained_vgg(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """Torchvision's vgg19, here without weights."""
    torch.manual_seed(0)
    network: nn.Module = torchvision.models.vgg19(weights=None).eval()
    monkeypatch.setattr(torchvision.models, "vgg19", lambda **_settings: network)
    return network


@pytest.fixture(scope="module")
def efficientnet() -> nn.Module:
    return build_features("efficientnet-lite0")


@pytest.mark.parametrize(("height", "width"), [(32, 48), (33, 47)])
def test_efficientnet_gives_maps_at_a_half_a_quarter_and_an_eighth(
    efficientnet: nn.Module, height: int, width: int
) -> None:
    maps = efficientnet(torch.rand(2, 3, height, width))
    assert [m.shape for m in maps] == [
        (2, channels, -(-height // stride), -(-width // stride))
        for channels, stride in ((32, 2), (24, 4), (40, 8))
    ]


def test_efficientnets_maps_are_taken_before_the_activation(efficientnet: nn.Module) -> None:
    for features in efficientnet(torch.rand(1, 3, 32, 32)):
        assert float(features.min()) < 0 < float(features.max())


def frozen(network: nn.Module) -> bool:
    return not network.training and not any(p.requires_grad for p in network.parameters())


def test_efficientnet_is_frozen_and_lets_gradients_through_to_the_picture(
    efficientnet: nn.Module,
) -> None:
    assert frozen(efficientnet)
    before = {name: value.clone() for name, value in efficientnet.state_dict().items()}
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    for features in efficientnet(picture):
        (gradient,) = torch.autograd.grad(features.square().sum(), picture, retain_graph=True)
        assert float(gradient.abs().sum()) > 0
    assert all(torch.equal(value, before[n]) for n, value in efficientnet.state_dict().items())


def test_efficientnet_is_the_same_each_time(efficientnet: nn.Module) -> None:
    torch.manual_seed(123)
    picture = torch.rand(1, 3, 24, 24)
    for one, other in zip(
        efficientnet(picture), build_features("efficientnet-lite0")(picture), strict=True
    ):
        assert torch.equal(one, other)


@torch.no_grad()
def test_vgg_features_are_those_before_the_fifth_pooling_in_the_papers_range(
    untrained_vgg: nn.Module,
) -> None:
    network = build_features("vgg54")
    picture = torch.rand(1, 3, 32, 48)
    (got,) = network(picture)
    assert got.shape == (1, 512, 2, 3)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    layers = untrained_vgg.features
    assert isinstance(layers, nn.Sequential)
    assert isinstance(layers[36], nn.MaxPool2d)
    wanted = layers[:36]((picture - mean) / std)
    assert torch.allclose(got, wanted / 12.75, atol=1e-7)
    assert frozen(network)


@pytest.mark.parametrize("name", ["vgg54", "vgg54-linear", "vgg-five"])
@pytest.mark.usefixtures("untrained_vgg")
def test_vggs_least_side_is_the_least_that_it_takes(name: FeatureNetwork) -> None:
    network = build_features(name)
    side = network.least_side
    assert network(torch.rand(1, 3, side, side))[-1].shape == (1, 512, 1, 1)
    with pytest.raises(RuntimeError, match="too small"):
        network(torch.rand(1, 3, side - 1, side - 1))


def test_efficientnets_least_side_is_a_pixel(efficientnet: nn.Module) -> None:
    assert efficientnet.least_side == 1
    assert [m.shape[-2:] for m in efficientnet(torch.rand(1, 3, 1, 1))] == [(1, 1)] * 3


@pytest.mark.parametrize("error", [URLError("no network"), RuntimeError("invalid hash value")])
def test_vgg_without_its_weights_names_the_file_and_the_alternative(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr(sys.modules["torch.hub"], "urlopen", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError) as refusal:
        build_features("vgg54")
    sentence = str(refusal.value)
    assert "vgg19-dcbb9e9d.pth" in sentence
    assert f"{tmp_path}/hub/checkpoints" in sentence
    assert "--features efficientnet-lite0" in sentence


def test_other_vgg_features_are_taken_before_the_activation(untrained_vgg: nn.Module) -> None:
    layers = untrained_vgg.features
    assert isinstance(layers, nn.Sequential)
    picture = torch.rand(1, 3, 32, 48)
    (last,) = build_features("vgg54-linear")(picture)
    assert isinstance(layers[34], nn.Conv2d)
    assert last.min() < 0 < last.max()
    five = build_features("vgg-five")(picture)
    assert [tuple(x.shape[1:]) for x in five] == [
        (64, 32, 48), (128, 16, 24), (256, 8, 12), (512, 4, 6), (512, 2, 3),
    ]  # fmt: skip
    assert torch.allclose(five[4], last)
    assert all(float(x.detach().min()) < 0 for x in five)


@pytest.mark.parametrize("name", ["efficientnet-lite0", "vgg54", "vgg54-linear", "vgg-five"])
def test_the_log_says_which_network_it_is(
    name: FeatureNetwork,
    untrained_vgg: nn.Module,  # noqa: ARG001
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO"):
        build_features(name)
    assert any(name in message for message in caplog.messages)
