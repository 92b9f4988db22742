"""Precision, recall and coverage where they are known."""

import pytest
import torch

from core.evaluation.neighbours import compare_neighbourhoods


def two_clusters(count: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.cat([torch.randn(count, 2), torch.randn(count, 2) + 100])


def test_data_as_samples_have_it_all() -> None:
    data = two_clusters(40)
    got = compare_neighbourhoods(data, data)
    assert (got.precision, got.recall, got.coverage) == (1.0, 1.0, 1.0)


def test_samples_of_one_cluster_of_two_are_precise_and_recall_half() -> None:
    data = two_clusters(40)
    got = compare_neighbourhoods(data[:40], data)
    assert (got.precision, got.recall, got.coverage) == (1.0, 0.5, 0.5)


def test_samples_of_which_half_are_elsewhere_are_half_precise_and_recall_all() -> None:
    data = two_clusters(40)
    got = compare_neighbourhoods(torch.cat([data, data + 1000]), data)
    assert (got.precision, got.recall, got.coverage) == (0.5, 1.0, 1.0)


def test_an_outlier_among_the_samples_widens_recall_but_not_coverage() -> None:
    """Why Naeem et al. 2020 measure coverage around the data instead of around the samples."""
    data = two_clusters(40)
    outlier = torch.cat([data[:6], torch.tensor([[100.0, 100.0]]) * 3])
    got = compare_neighbourhoods(outlier, data)
    assert got.recall > 0.9
    assert got.coverage < 0.5


def test_it_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data, samples = torch.randn(50, 3), torch.randn(60, 3) + 0.5
    whole = compare_neighbourhoods(samples, data)
    monkeypatch.setattr("core.evaluation.neighbours._BLOCK", 7)
    assert compare_neighbourhoods(samples, data) == whole


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 5"):
        compare_neighbourhoods(torch.rand(5, 2), torch.rand(50, 2))
