"""The order in which batches come."""

import pytest
import torch

from core.datasets import ShuffledBatches


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
