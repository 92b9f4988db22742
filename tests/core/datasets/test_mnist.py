"""MNIST from disk, and what is said where it cannot be had."""

import gzip
import shutil
from pathlib import Path

import pytest
import torch

from core.datasets import DataUnavailableError, Pictures, load_pictures
from tests.conftest import DataFolder

FILES = [
    f"{part}-{kind}-ubyte"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
]  # fmt: skip


def test_missing_mnist_says_where_to_put_it_and_what_needs_no_download(
    offline: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    with pytest.raises(DataUnavailableError) as refusal:
        load_pictures("mnist", tmp_path)
    sentence = str(refusal.value)
    assert f"{tmp_path}/MNIST/raw" in sentence
    assert "--recipe digits" in sentence
    assert all(name in sentence for name in FILES)


def assert_is_mnist(pictures: Pictures) -> None:
    train, validation, test = pictures.train, pictures.validation, pictures.test
    assert train.pictures.shape == (50_000, 1, 28, 28)
    assert validation.pictures.shape == test.pictures.shape == (10_000, 1, 28, 28)
    whole = torch.cat([train.pictures, validation.pictures])
    assert (float(whole.min()), float(whole.max())) == (0.0, 1.0)
    assert float(whole.mean()) == pytest.approx(0.1307, abs=1e-4)  # as published
    assert float(whole.std()) == pytest.approx(0.3081, abs=1e-4)
    assert train.labels is not None
    assert test.labels is not None
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize("packed", [False, True])
def test_mnist_is_read_from_disk_packed_or_not(
    packed: bool,
    data_folder: DataFolder,
    offline: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in FILES:
        source = data_folder("MNIST/raw") / f"{name}.gz"
        if packed:
            shutil.copyfile(source, raw / source.name)
        else:
            with gzip.open(source) as content, (raw / name).open("wb") as out:
                shutil.copyfileobj(content, out)
    assert_is_mnist(load_pictures("mnist", tmp_path))
