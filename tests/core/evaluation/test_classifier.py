"""The classifier whose features samples are judged by."""

from pathlib import Path

import pytest
import torch

from core.checkpoint import CheckpointError, save_state
from core.command import UserError
from core.datasets import load_pictures
from core.evaluation.classifier import ClassifierConfig, load_classifier, train_classifier


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = ClassifierConfig("digits", tmp_path_factory.mktemp("data"), epochs=8)
    assert train_classifier(config)
    assert config.file.name == "features-digits.safetensors"
    return config.file


def test_it_learns_to_tell_the_digits(file: Path) -> None:
    test = load_pictures("digits", file.parent).test
    assert test.labels is not None
    assert load_classifier(file).accuracy(test.pictures, test.labels) > 0.9


def test_it_gives_a_row_of_features_a_picture_in_any_blocks(file: Path) -> None:
    network = load_classifier(file)
    pictures = torch.rand(7, 1, 8, 8)
    features = network.features(pictures)
    assert features.shape == (7, 128)
    assert torch.allclose(network.features(pictures, block=2), features, atol=1e-6)


def test_pictures_of_another_size_are_brought_to_its_own(file: Path) -> None:
    network = load_classifier(file)
    pictures = torch.rand(3, 1, 8, 8)
    larger = pictures.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    assert torch.allclose(network.features(larger), network.features(pictures), atol=1e-6)
    with pytest.raises(UserError, match="takes pictures of 1 channels, not of 3"):
        network.features(torch.rand(3, 3, 8, 8))


def test_a_missing_or_foreign_file_is_answered_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"python -m core\.evaluation\.classifier makes one"):
        load_classifier(tmp_path / "none.safetensors")
    save_state(tmp_path / "other.safetensors", {"weights": {}})
    with pytest.raises(CheckpointError, match="holds no classifier"):
        load_classifier(tmp_path / "other.safetensors")


def test_pictures_without_labels_are_refused(tmp_path: Path) -> None:
    from PIL import Image

    for number in range(10):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    with pytest.raises(UserError, match="has no labels"):
        train_classifier(ClassifierConfig(str(tmp_path), tmp_path))
