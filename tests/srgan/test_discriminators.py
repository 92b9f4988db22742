"""Discriminators: what they see, what they say, and that all of them learns."""

import pytest
import torch
from torch import nn

from srgan.discriminators import (
    DiscriminatorName,
    PatchDiscriminator,
    SRGANDiscriminator,
    UNetDiscriminator,
    build_discriminator,
)


@pytest.mark.parametrize("size", [16, 48])
def test_a_picture_gives_a_logit(size: int) -> None:
    network = SRGANDiscriminator(size, width=4, dense=8)
    assert network(torch.rand(3, 3, size, size)).shape == (3, 1)


def test_it_is_the_papers_by_default() -> None:
    with torch.device("meta"):
        network = SRGANDiscriminator(96)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [c.stride[0] for c in convolutions] == [1, 2, 1, 2, 1, 2, 1, 2]
    assert len([m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]) == 7
    slopes = {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    dense = [m for m in network.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in dense] == [(512 * 6 * 6, 1024), (1024, 1)]


def test_every_layer_learns() -> None:
    network = SRGANDiscriminator(16, width=4, dense=8)
    network(torch.rand(4, 3, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("size", [0, 8, 40, -16])
def test_a_size_that_cannot_be_halved_four_times_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"multiple of 16, not {size}"):
        SRGANDiscriminator(size)


@pytest.mark.parametrize(("height", "width"), [(16, 24), (13, 9)])
def test_the_u_net_judges_every_pixel(height: int, width: int) -> None:
    network = UNetDiscriminator(width=4)
    assert network(torch.rand(2, 3, height, width)).shape == (2, 1, height, width)


def test_the_patch_discriminator_judges_overlapping_patches() -> None:
    network = PatchDiscriminator(width=4)
    assert network(torch.rand(2, 3, 64, 32)).shape == (2, 1, 8, 4)


@pytest.mark.parametrize("network", [UNetDiscriminator(width=4), PatchDiscriminator(width=4)])
def test_spectral_normalisation_bounds_all_but_the_ends(network: nn.Module) -> None:
    network.train()
    for _ in range(30):  # the power iteration takes one step a forward pass
        network(torch.rand(1, 3, 16, 16))
    bounded = [
        float(torch.linalg.matrix_norm(m.weight.detach().flatten(1), 2))
        for m in network.modules()
        if isinstance(m, nn.Conv2d) and hasattr(m, "parametrizations")
    ]
    assert len(bounded) >= 4
    assert max(bounded) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("name", ["srgan", "unet", "patch"])
@pytest.mark.parametrize("channels", [3, 6])
def test_each_is_built_by_name_and_learns(name: DiscriminatorName, channels: int) -> None:
    network = build_discriminator(name, channels, 4, 32)
    network(torch.rand(2, channels, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_a_size_that_the_patch_discriminator_cannot_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        build_discriminator("patch", 3, 4, 30)


def test_layers_and_folding_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        PatchDiscriminator(layers=0)
