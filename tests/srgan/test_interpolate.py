"""Interpolation: a weighted mean of weights, between two of a kind only."""

from pathlib import Path

import pytest
import torch

from core.command import UserError
from srgan.generators import GeneratorSpec, load_generator, save_generator
from srgan.interpolate import InterpolateConfig, interpolate


def saved(path: Path, spec: GeneratorSpec, seed: int) -> Path:
    torch.manual_seed(seed)
    save_generator(path, spec, spec.build().state_dict(), {"steps": seed})
    return path


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_every_weight_lies_between(share: float, tmp_path: Path) -> None:
    spec = GeneratorSpec("srresnet", 2, 4, 1)  # it has whole numbers among its buffers
    first, second = (saved(tmp_path / f"{i}.safetensors", spec, i) for i in (1, 2))
    out = tmp_path / "new" / "blend.safetensors"
    assert interpolate(InterpolateConfig(first, second, out, share))
    a, b, got = (load_generator(path)[0].state_dict() for path in (first, second, out))
    for name, tensor in got.items():
        wanted = (1 - share) * a[name] + share * b[name]
        assert torch.allclose(tensor.double(), wanted.double(), atol=1e-6)
    training = load_generator(out)[2]
    assert training == {"interpolated": [{"steps": 1}, {"steps": 2}], "share": share}


def test_two_of_different_kinds_are_refused(tmp_path: Path) -> None:
    first = saved(tmp_path / "a.safetensors", GeneratorSpec("light", 2, 16, 1), 0)
    second = saved(tmp_path / "b.safetensors", GeneratorSpec("light", 2, 16, 2), 0)
    with pytest.raises(UserError, match="blocks=2"):
        interpolate(InterpolateConfig(first, second, tmp_path / "c.safetensors"))
    assert not (tmp_path / "c.safetensors").exists()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(UserError, match="--share must be from 0 to 1"):
        InterpolateConfig(Path("a"), Path("b"), Path("c"), share)
