"""Shift-tolerant LPIPS: a distance that agrees with published figures."""

import pytest
import torch

from core.command import UserError
from srgan import stlpips
from srgan.evaluation.sets import pairs
from srgan.stlpips import ShiftTolerantLPIPS, Trunk
from srgan.upscalers import open_upscaler
from tests.conftest import DataFolder


@pytest.mark.parametrize("trunk", ["alex", "vgg"])
def test_it_is_a_distance(trunk: Trunk) -> None:
    metric = ShiftTolerantLPIPS(trunk)
    random = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 2, 3, 48, 40, generator=random)
    assert torch.equal(metric(a, a), torch.zeros(2))
    assert torch.allclose(metric(a, b), metric(b, a))
    assert (metric(a, b) > 0).all()
    slightly = (a + 0.02 * torch.randn(a.shape, generator=random)).clamp(0, 1)
    assert (metric(a, slightly) < metric(a, b)).all()
    assert not any(p.requires_grad for p in metric.parameters())


def test_each_picture_of_a_batch_has_its_own_distance() -> None:
    metric = ShiftTolerantLPIPS("alex")
    a, b = torch.rand(2, 3, 3, 40, 40)
    together = metric(a, b)
    apart = torch.cat([metric(a[i : i + 1], b[i : i + 1]) for i in range(3)])
    assert torch.allclose(together, apart, atol=1e-6)


@pytest.mark.parametrize("trunk", ["alex", "vgg"])
def test_the_least_side_is_the_least_that_it_takes(trunk: Trunk) -> None:
    metric = ShiftTolerantLPIPS(trunk)
    side = metric.least_side
    assert metric(*torch.rand(2, 1, 3, side, side)).isfinite().all()
    with pytest.raises(RuntimeError, match="Padding size"):
        metric(*torch.rand(2, 1, 3, side - 1, side - 1))


def test_bicubic_on_set5_has_the_known_distance(data_folder: DataFolder) -> None:
    metric, bicubic = ShiftTolerantLPIPS("vgg"), open_upscaler("bicubic", 4)
    folder = data_folder("Set5/HR").parent
    with torch.no_grad():
        values = [float(metric(bicubic.run(pair.lr), pair.hr)) for pair in pairs(folder, 4)]
    assert sum(values) / len(values) == pytest.approx(0.377, abs=5e-4)


def test_without_its_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stlpips, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match="stlpips-pytorch"):
        ShiftTolerantLPIPS()
