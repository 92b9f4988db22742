"""Both of the generator's gradients: the formula, and the plot."""

from pathlib import Path

import torch
from PIL import Image

from core.figures.generator_gradients import GradientsConfig, gradient_by_logit, make, norms


def test_the_gradients_by_the_logit_are_d_and_one_minus_d_exactly() -> None:
    """d/ds log(1 - sigmoid(s)) = -D and d/ds -log sigmoid(s) = -(1 - D)."""
    logits = torch.linspace(-19.5, 19.5, 157, dtype=torch.float64)
    for name, wanted in (
        ("minimax", torch.sigmoid(logits)),
        ("non-saturating", torch.sigmoid(-logits)),
    ):
        assert torch.allclose(gradient_by_logit(name, logits), wanted, rtol=1e-14, atol=0)


def test_where_the_discriminator_is_sure_minimax_teaches_nothing() -> None:
    sure = torch.tensor([-20.0])
    assert float(gradient_by_logit("minimax", sure)) < 1e-8
    assert float(gradient_by_logit("non-saturating", sure)) > 0.999999


def test_while_the_discriminator_learns_the_minimax_gradient_falls_behind() -> None:
    found = norms(steps=60, seed=0)
    at_first = found["minimax"][0] / found["non-saturating"][0]
    assert 0.8 < at_first < 1.25  # D = 1/2: both are the same
    assert found["minimax"][-1] / found["non-saturating"][-1] < 0.2


def test_the_plot_is_written(tmp_path: Path) -> None:
    out = tmp_path / "new" / "gradients.png"
    assert make(GradientsConfig(out, steps=2))
    with Image.open(out) as picture:
        assert picture.width > 400
