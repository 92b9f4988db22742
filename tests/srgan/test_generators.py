"""Generators keep what they say about themselves: sizes, halo, cost, and their files."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.checkpoint import CheckpointError, save_state
from core.command import UserError
from srgan.generators import (
    Generator,
    GeneratorName,
    GeneratorSpec,
    Light,
    Plain,
    SRResNet,
    load_generator,
    save_generator,
)
from srgan.generators.light import PlainBlock

SPECS = [
    GeneratorSpec("light", 4, 16, 1),
    GeneratorSpec("light", 3, 16, 2),
    GeneratorSpec("light", 2, 32, 1),
    GeneratorSpec("plain", 4, 16, 2),
    GeneratorSpec("srresnet", 2, 4, 1),
    GeneratorSpec("srresnet", 4, 4, 2),
    GeneratorSpec("srresnet", 8, 4, 1),
    GeneratorSpec("rrdb", 2, 4, 1),
    GeneratorSpec("rrdb", 4, 4, 1),
]
every_spec = pytest.mark.parametrize("spec", SPECS, ids=str)


def lively(spec: GeneratorSpec) -> Generator:
    """A network in eval mode in which every path carries something."""
    torch.manual_seed(1)
    network = spec.build()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.1, 0.1)  # type: ignore[arg-type]
    return network.double().eval()


def positive(spec: GeneratorSpec) -> Generator:
    """A network of positive weights: no rectifier hides a path, no two paths cancel."""
    network = spec.build().double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    return network


@torch.no_grad()
def reach(network: Generator, height: int, width: int) -> int:
    """How far, in input pixels, a change of the middle pixel is seen in the output."""
    lr = torch.rand(1, 3, height, width, dtype=torch.float64)
    changed = lr.clone()
    row, column = height // 2, width // 2
    changed[..., row, column] += 1.0
    difference = (network(changed) - network(lr)).abs().amax(dim=(0, 1))
    rows, columns = (difference > 0).nonzero(as_tuple=True)
    return int(
        max(
            (rows // network.scale - row).abs().max(),
            (columns // network.scale - column).abs().max(),
        )
    )


@every_spec
@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 9), (8, 3)])
@torch.no_grad()
def test_the_output_is_scale_times_as_large(spec: GeneratorSpec, height: int, width: int) -> None:
    got = spec.build().eval()(torch.rand(2, 3, height, width))
    assert got.shape == (2, 3, spec.scale * height, spec.scale * width)
    assert got.dtype == torch.float32


@every_spec
def test_nothing_further_than_the_halo_is_looked_at(spec: GeneratorSpec) -> None:
    for network in (lively(spec), positive(spec)):
        side = 2 * network.halo + 7
        assert 0 < reach(network, side, side + 2) <= network.halo


@pytest.mark.parametrize("spec", [s for s in SPECS if s.name in ("plain", "light")], ids=str)
def test_lights_halo_is_tight(spec: GeneratorSpec) -> None:
    network = positive(spec)
    assert network.halo == 2 * spec.blocks + 2
    assert reach(network, 4 * network.halo + 1, 4 * network.halo + 1) == network.halo


@every_spec
@torch.no_grad()
def test_a_tile_with_its_halo_comes_out_as_within_the_whole(spec: GeneratorSpec) -> None:
    network = lively(spec)
    halo, scale, tile = network.halo, network.scale, 5
    side = 2 * halo + tile + 6
    lr = torch.rand(1, 3, side, side + 3, dtype=torch.float64)
    top, left = 4, 2
    bottom, right = top + 2 * halo + tile, left + 2 * halo + tile
    part = network(lr[..., top:bottom, left:right])
    inside = slice(scale * halo, scale * (halo + tile))
    whole = network(lr)[
        ...,
        scale * (top + halo) : scale * (top + halo + tile),
        scale * (left + halo) : scale * (left + halo + tile),
    ]
    assert torch.allclose(part[..., inside, inside], whole, atol=1e-12)


@every_spec
@torch.no_grad()
def test_a_picture_comes_out_the_same_in_any_company(spec: GeneratorSpec) -> None:
    network = lively(spec)
    lr = torch.rand(3, 3, 6, 7, dtype=torch.float64)
    assert torch.allclose(network(lr)[1:2], network(lr[1:2]), atol=1e-12)


@every_spec
@torch.no_grad()
def test_the_declared_cost_is_that_of_the_convolutions(spec: GeneratorSpec) -> None:
    network = spec.build().eval()
    counted = 0

    def count(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        assert isinstance(module, nn.Conv2d)
        counted += module.weight.numel() * output.shape[-1] * output.shape[-2] // module.groups

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    network(torch.rand(1, 3, 4, 6))
    assert counted == 24 * network.macs_per_lr_pixel
    assert counted == 24 * network.scale**2 * network.macs_per_hr_pixel


def test_the_papers_generator_is_the_default() -> None:
    network = SRResNet()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 1 + 2 * 16 + 1 + 2 + 1
    assert [m.kernel_size[0] for m in convolutions if m.kernel_size != (3, 3)] == [9, 9]
    assert {m.out_channels for m in convolutions} == {64, 256, 3}


@torch.no_grad()
def test_light_starts_near_the_nearest_neighbour_enlargement() -> None:
    torch.manual_seed(0)
    lr = torch.rand(1, 3, 12, 12)
    nearest = lr.repeat_interleave(4, dim=-1).repeat_interleave(4, dim=-2)
    network = Light(4, 16, 2)
    assert float((network(lr) - nearest).abs().mean()) < 0.05
    network.tail.weight.zero_()
    assert network.tail.bias is not None
    network.tail.bias.zero_()
    assert torch.equal(network(lr), nearest)


@torch.no_grad()
def test_plain_blocks_start_near_the_identity_and_have_one_skip_around_them() -> None:
    torch.manual_seed(0)
    network = Plain(4, 32, 3)
    x = torch.rand(1, 32, 8, 8)
    deep = network.body(x)
    assert 0.02 < float((deep - x).std()) < 0.5
    assert float(torch.corrcoef(torch.stack([deep.flatten(), x.flatten()]))[0, 1]) > 0.7
    torch.testing.assert_close(network.features(x), x + deep)
    for block in network.body:
        assert isinstance(block, PlainBlock)
        block.pass_through()
    assert torch.equal(network.body(x), x)


@pytest.mark.parametrize(
    ("name", "scale", "width", "blocks", "sentence"),
    [
        ("light", 1, 16, 1, "scale must be at least 2, not 1"),
        ("light", 4, 40, 1, "width must be a multiple of 16, not 40"),
        ("plain", 4, 40, 1, "plain's width must be a multiple of 16, not 40"),
        ("light", 4, 0, 1, "width must be at least 1, not 0"),
        ("light", 4, 16, 0, "blocks must be at least 1, not 0"),
        ("srresnet", 3, 8, 1, "scale must be a power of two from 2, not 3"),
        ("srresnet", 1, 8, 1, "scale must be a power of two from 2, not 1"),
        ("srresnet", 0, 8, 1, "scale must be a power of two from 2, not 0"),
        ("srresnet", 4, -8, 1, "width must be at least 1, not -8"),
        ("rrdb", 4, 1, 1, "rrdb's width must be at least 2, not 1"),
    ],
)
def test_what_a_network_cannot_be_is_refused(
    name: GeneratorName, scale: int, width: int, blocks: int, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        GeneratorSpec(name, scale, width, blocks).build()


@every_spec
@torch.no_grad()
def test_a_file_brings_back_network_spec_and_origin(spec: GeneratorSpec, tmp_path: Path) -> None:
    network = lively(spec).float()
    path = tmp_path / "generator.safetensors"
    save_generator(path, spec, network.state_dict(), {"steps": 7, "config": {"seed": 3}})
    again, read, training = load_generator(path)
    assert read == spec
    assert training == {"steps": 7, "config": {"seed": 3}}
    assert not again.training
    lr = torch.rand(1, 3, 7, 6)
    assert torch.equal(again(lr), network(lr))


def test_files_of_something_else_are_refused_by_name(tmp_path: Path) -> None:
    spec = SPECS[0]
    weights = spec.build().state_dict()
    good = {"generator": vars(spec), "weights": weights, "training": {}}
    states: list[dict[str, object]] = [
        {},
        {"weights": weights},
        {k: v for k, v in good.items() if k != "training"},
        good | {"generator": vars(spec) | {"name": "unknown"}},
        good | {"generator": vars(spec) | {"colour": "red"}},
        good | {"generator": vars(spec) | {"width": 32}},
        good | {"weights": SPECS[3].build().state_dict()},
    ]
    for index, state in enumerate(states):
        path = tmp_path / f"{index}.safetensors"
        save_state(path, state)
        with pytest.raises(CheckpointError, match=str(path)):
            load_generator(path)


def test_halo_of_the_paper_in_closed_form() -> None:
    # 9x9 head, two 3x3 a block, one after, one at full and one at twice the side, 9x9 at four times
    assert SRResNet(4, 4, 16).halo == math.ceil(4 + 32 + 1 + 1 + 0.5 + 1)
