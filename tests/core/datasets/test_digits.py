"""The digits that need no download."""

from pathlib import Path

import pytest
import torch

from core.datasets import DataUnavailableError, Pictures, load_pictures


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return load_pictures("digits", tmp_path_factory.mktemp("empty"))


def test_digits_are_small_pictures_in_0_to_1(digits: Pictures) -> None:
    assert digits.train.pictures.shape == (1197, 1, 8, 8)
    assert digits.validation.pictures.shape == digits.test.pictures.shape == (300, 1, 8, 8)
    for part in (digits.train, digits.validation, digits.test):
        pictures = part.pictures
        assert pictures.dtype == torch.float32
        assert (float(pictures.min()), float(pictures.max())) == (0.0, 1.0)
        assert torch.equal(pictures * 16, (pictures * 16).round())


def test_every_part_has_labels_of_every_class(digits: Pictures) -> None:
    assert (digits.shape, digits.classes) == ((1, 8, 8), 10)
    for part in (digits.train, digits.validation, digits.test):
        assert part.labels is not None
        assert part.labels.dtype == torch.int64
        assert len(part.labels) == len(part)
        counts = part.labels.bincount()
        assert len(counts) == 10
        assert counts.min() > 0.6 * counts.max()


def test_no_picture_is_in_two_parts(digits: Pictures) -> None:
    parts = (digits.train, digits.validation, digits.test)
    rows = {tuple(p.flatten().tolist()) for part in parts for p in part.pictures}
    assert len(rows) == sum(len(part) for part in parts)


def test_an_unknown_collection_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailableError, match="mnist, digits, cifar10, tfd or a folder"):
        load_pictures("cifar", tmp_path)
