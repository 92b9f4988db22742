"""Figure 1 on a line."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from core.command import UserError
from core.figures.one_dimension import DEVIATION, MEAN, FigureConfig, line_trainer, look, make


def test_the_densities_are_densities_and_the_curve_a_probability() -> None:
    moment = look(line_trainer(seed=0, steps=1))
    width = float(moment.x[1] - moment.x[0])
    assert float(moment.data.sum()) * width == pytest.approx(1.0, abs=1e-2)
    assert float(moment.samples.sum()) * width == pytest.approx(1.0, abs=0.05)
    assert 0 < float(moment.probability.min()) < float(moment.probability.max()) < 1
    assert moment.noise.shape == moment.mapped.shape


@pytest.mark.slow
def test_samples_come_to_the_data_and_the_discriminator_to_one_half() -> None:
    """Part (d) of the figure: p_g = p_data and D = 1/2."""
    trainer = line_trainer(seed=1, steps=600)
    trainer.train(600)
    moment = look(trainer)
    apart = float((moment.samples - moment.data).abs().sum() * (moment.x[1] - moment.x[0])) / 2
    assert apart < 0.25
    near = (moment.x - MEAN).abs() < DEVIATION
    assert torch.allclose(moment.probability[near], torch.tensor(0.5), atol=0.05)


def test_frames_and_an_animation_are_written(tmp_path: Path) -> None:
    assert make(FigureConfig(tmp_path, steps=2, frames=2))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["one_dimension.gif", *[f"one_dimension_{i:03}.png" for i in range(3)]]
    with Image.open(tmp_path / "one_dimension.gif") as animation:
        assert getattr(animation, "n_frames", 1) == 3


def test_more_frames_than_steps_are_refused() -> None:
    with pytest.raises(UserError, match="--frames must be from 1 to --steps, 3, not 4"):
        FigureConfig(steps=3, frames=4)
