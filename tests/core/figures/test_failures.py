"""Each provoked failure is found, and named by its evidence."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from core.command import UserError
from core.figures import failures
from core.figures.failures import FAILURES, FailuresConfig, make, play


@pytest.mark.slow
def test_a_generator_that_trains_alone_ends_in_one_place() -> None:
    """The paper's Helvetica scenario: "G must not be trained too much without updating D"."""
    played = play("mode collapse", seed=0, steps=4000)
    assert "mode collapse: " in played.evidence
    sound, last = (samples.std(dim=0).mean() for samples in played.moments.values())
    assert last < 0.3 * sound


def test_a_discriminator_with_a_head_start_runs_away() -> None:
    played = play("discriminator runs away", seed=0, steps=500)
    assert "has run away: its loss is 0.0" in played.evidence
    assert "where guessing costs 1.39" in played.evidence
    assert played.losses[0] > 0.5 > played.losses[-1]


def test_the_picture_has_a_row_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = {name: replace(failure, begins=2) for name, failure in FAILURES.items()}
    monkeypatch.setattr(failures, "FAILURES", soon)
    assert make(FailuresConfig(tmp_path / "new" / "failures.png", steps=6))
    with Image.open(tmp_path / "new" / "failures.png") as picture:
        assert picture.height / picture.width == pytest.approx(2.7 * len(FAILURES) / 8, rel=0.01)


def test_too_few_steps_to_fail_are_refused() -> None:
    with pytest.raises(UserError, match="--steps must be at least 401, not 400"):
        FailuresConfig(steps=400)
