"""Measures: what there is where a network's weights cannot be had, and what is too small."""

import logging

import pytest
import torch

from core.command import UserError
from srgan.evaluation import measures
from srgan.evaluation.measures import distances, st_lpips


def test_a_distance_without_weights_is_left_out_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise UserError("no weights")

    monkeypatch.setattr(measures, "LPIPS", missing)
    with caplog.at_level(logging.WARNING):
        assert [each.name for each in distances()] == ["st_lpips", "st_lpips_alex"]
    assert "the column LPIPS is left out: no weights" in caplog.text
    monkeypatch.setattr(measures, "LPIPS", lambda: torch.dist)
    assert [each.name for each in distances()] == ["st_lpips", "st_lpips_alex", "lpips"]


def test_a_picture_that_is_too_small_for_a_network_is_a_sentence() -> None:
    small = torch.rand(1, 3, 31, 40, dtype=torch.float64)
    with pytest.raises(ValueError, match="ST-LPIPS needs sides of at least 32 pixels, not 40x31"):
        st_lpips()[0].value(small, small)
