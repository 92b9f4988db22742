"""The collections and the order in which their batches come."""

import gzip
import shutil
from pathlib import Path

import pytest
import torch

from core.datasets import (
    DataUnavailableError,
    Pictures,
    ShuffledBatches,
    load_pictures,
)
from tests.conftest import DataFolder

FILES = [
    f"{part}-{kind}-ubyte"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
]  # fmt: skip


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return load_pictures("digits", tmp_path_factory.mktemp("empty"))


def test_digits_are_small_pictures_in_0_to_1(digits: Pictures) -> None:
    assert digits.train.shape == (1497, 1, 8, 8)
    assert digits.test.shape == (300, 1, 8, 8)
    for pictures in (digits.train, digits.test):
        assert pictures.dtype == torch.float32
        assert (float(pictures.min()), float(pictures.max())) == (0.0, 1.0)
        assert torch.equal(pictures * 16, (pictures * 16).round())


def test_digits_have_labels_of_every_class_in_both_parts(digits: Pictures) -> None:
    for labels in (digits.train_labels, digits.test_labels):
        assert labels.dtype == torch.int64
        counts = labels.bincount()
        assert len(counts) == 10
        assert counts.min() > 0.8 * counts.max() * 0.8
    assert len(digits.train_labels) == len(digits.train)
    assert len(digits.test_labels) == len(digits.test)


def test_an_unknown_collection_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mnist, digits, not 'cifar'"):
        load_pictures("cifar", tmp_path)


def test_missing_mnist_says_where_to_put_it_and_what_needs_no_download(
    offline: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    with pytest.raises(DataUnavailableError) as refusal:
        load_pictures("mnist", tmp_path)
    sentence = str(refusal.value)
    assert f"{tmp_path}/MNIST/raw" in sentence
    assert "--dataset digits" in sentence
    assert all(name in sentence for name in FILES)


def assert_is_mnist(pictures: Pictures) -> None:
    assert pictures.train.shape == (60_000, 1, 28, 28)
    assert pictures.test.shape == (10_000, 1, 28, 28)
    assert (float(pictures.train.min()), float(pictures.train.max())) == (0.0, 1.0)
    assert float(pictures.train.mean()) == pytest.approx(0.1307, abs=1e-4)  # as published
    assert float(pictures.train.std()) == pytest.approx(0.3081, abs=1e-4)
    assert pictures.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert pictures.test_labels[:5].tolist() == [7, 2, 1, 0, 4]


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


@pytest.mark.parametrize(("count", "size"), [(10, 3), (10, 5), (10, 10), (7, 1)])
def test_an_epoch_shows_every_sample_once_but_for_a_short_last_batch(count: int, size: int) -> None:
    batches = ShuffledBatches(torch.arange(count), size, seed=3)
    assert batches.per_epoch == count // size
    for epoch in range(3):
        first = epoch * batches.per_epoch
        parts = [batches.batch(first + place).real for place in range(batches.per_epoch)]
        assert {len(part) for part in parts} == {size}
        seen = torch.cat(parts).tolist()
        assert len(set(seen)) == len(seen) == count // size * size


def test_what_one_epoch_leaves_out_another_shows() -> None:
    batches = ShuffledBatches(torch.arange(10), 4)
    seen = {int(x) for index in range(40) for x in batches.batch(index).real}
    assert seen == set(range(10))


def test_a_batch_is_a_pure_function_of_seed_and_index() -> None:
    data = torch.arange(50)
    forward = [ShuffledBatches(data, 7, seed=1).batch(index).real for index in range(30)]
    torch.manual_seed(99)
    again = ShuffledBatches(data, 7, seed=1)
    for index in reversed(range(30)):
        assert torch.equal(again.batch(index).real, forward[index])
    other = [ShuffledBatches(data, 7, seed=2).batch(index).real for index in range(30)]
    assert sum(torch.equal(a, b) for a, b in zip(forward, other, strict=True)) == 0


def test_each_epoch_has_an_order_of_its_own() -> None:
    batches = ShuffledBatches(torch.arange(50), 50)
    orders = {tuple(batches.batch(epoch).real.tolist()) for epoch in range(5)}
    assert len(orders) == 5


def test_labels_stay_with_their_pictures() -> None:
    batches = ShuffledBatches(torch.arange(20), 6, labels=torch.arange(20) + 100)
    for index in range(6):
        batch = batches.batch(index)
        assert batch.cond is not None
        assert torch.equal(batch.cond, batch.real + 100)
    assert ShuffledBatches(torch.arange(20), 6).batch(0).cond is None


@pytest.mark.parametrize("size", [0, -1, 11])
def test_a_batch_size_that_cannot_be_filled_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to the 10 samples there are, not {size}"):
        ShuffledBatches(torch.arange(10), size)
