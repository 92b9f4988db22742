"""CIFAR-10 from torchvision's files or from an archive."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from core.datasets import DataUnavailableError, load_pictures
from tests.conftest import DataFolder


def write_archive(folder: Path, **arrays: np.ndarray) -> None:
    (folder / "cifar10").mkdir()
    np.savez(folder / "cifar10" / "few.npz", **arrays)  # type: ignore[arg-type]


def test_an_archive_gives_channels_first_and_keeps_a_fifth_for_validation(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(10)[:, None]
    write_archive(
        tmp_path, x_train=pictures, y_train=labels, x_test=pictures[:3], y_test=labels[:3]
    )
    got = load_pictures("cifar10", tmp_path)
    assert [len(part) for part in (got.train, got.validation, got.test)] == [8, 2, 3]
    assert got.shape == (3, 32, 32)
    wanted = torch.from_numpy(pictures[9]).permute(2, 0, 1).float() / 255
    assert torch.equal(got.validation.pictures[1], wanted)
    assert got.validation.labels is not None
    assert got.validation.labels.tolist() == [8, 9]


def test_an_archive_without_its_arrays_is_refused_by_name(tmp_path: Path) -> None:
    write_archive(tmp_path, x_train=np.zeros((1, 32, 32, 3), np.uint8))
    with pytest.raises(DataUnavailableError, match=r"few\.npz must hold x_train, y_train"):
        load_pictures("cifar10", tmp_path)


def test_torchvisions_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    random = np.random.default_rng(1)
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        content = {
            "data": random.integers(0, 256, (4, 3072), dtype=np.uint8),
            "labels": [1, 2, 3, 4],
        }
        (folder / name).write_bytes(pickle.dumps(content))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    # the digests are those of the real files
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    got = load_pictures("cifar10", tmp_path)
    assert [len(part) for part in (got.train, got.validation, got.test)] == [16, 4, 4]


def test_where_there_is_nothing_it_says_what_to_put_there(
    offline: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    with pytest.raises(DataUnavailableError, match=r"cifar-10-batches-py there.*/NAME\.npz"):
        load_pictures("cifar10", tmp_path)


def test_the_real_pictures_are_coloured(data_folder: DataFolder) -> None:
    got = load_pictures("cifar10", data_folder("cifar10").parent)
    assert got.shape == (3, 32, 32)
    assert got.classes == 10
    red, green, blue = got.train.pictures.unbind(1)
    assert not torch.equal(red, green)
    assert not torch.equal(green, blue)
    assert 0.4 < float(got.train.pictures.mean()) < 0.5
