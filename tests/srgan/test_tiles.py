"""Tiles make the picture that the whole would have made, and none is larger than it may be."""

import pytest
import torch
from torch import Tensor

from srgan.generators import GeneratorSpec
from srgan.tiles import upscale_in_tiles

SPECS = [
    GeneratorSpec("light", 4, 16, 1),
    GeneratorSpec("plain", 3, 16, 1),
    GeneratorSpec("srresnet", 2, 4, 1),
    GeneratorSpec("rrdb", 4, 4, 1),
]


@pytest.mark.parametrize("size", [(70, 93), (20, 120), (9, 7)], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=str)
@torch.no_grad()
def test_tiles_equal_the_whole_picture(spec: GeneratorSpec, size: tuple[int, int]) -> None:
    torch.manual_seed(2)
    network = spec.build().double().eval()
    lr = torch.rand(2, 3, *size, dtype=torch.float64)
    tiled = upscale_in_tiles(network, lr, spec.scale, network.halo, side=13)
    assert torch.allclose(tiled, network(lr), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "halo", "tiles", "largest"),
    [
        ((40, 40), 5, 1, (40, 40)),  # no more than one tile with its halos
        ((41, 40), 5, 2, (35, 40)),
        ((100, 90), 5, 12, (40, 40)),
        ((100, 90), 40, 1, (100, 90)),
    ],
)
def test_memory_is_bounded_and_what_fits_is_not_cut(
    size: tuple[int, int], halo: int, tiles: int, largest: tuple[int, int]
) -> None:
    seen: list[tuple[int, ...]] = []

    def network(lr: Tensor) -> Tensor:
        seen.append(tuple(lr.shape[-2:]))
        return lr.repeat_interleave(2, -1).repeat_interleave(2, -2)

    lr = torch.rand(1, 3, *size)
    assert torch.equal(upscale_in_tiles(network, lr, 2, halo, side=30), network(lr))
    seen.pop()
    assert len(seen) == tiles
    assert (max(h for h, _ in seen), max(w for _, w in seen)) == largest
