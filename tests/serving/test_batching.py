"""Calls of several threads share runs, and notice nothing of it."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

import numpy as np
import pytest
from numpy.typing import NDArray

from serving.batching import Array, Batcher
from serving.catalog import Catalog
from serving.client import UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import InvalidConfig
from serving.model import load_model
from serving.session import Computing
from serving.stop import Stop, Stopped
from serving.tune import Setting, setting_for
from tests.serving.files import checker, write_png
from tests.serving.networks import Network

PATIENCE_S = 10.0


class Card:
    """Doubles numbers, one run after another; runs wait while `gate` is closed."""

    def __init__(self) -> None:
        self.gate = Event()
        self.begun = Event()
        self.sizes: list[int] = []

    def run(self, batch: Array, stop: Stop) -> Array:
        self.sizes.append(len(batch))
        self.begun.set()
        while not self.gate.wait(0.001):
            stop.check()
        if (batch < 0).any():
            raise ZeroDivisionError
        return batch * 2


def tile(value: float, side: int = 2) -> NDArray[np.float32]:
    return np.full((1, side), value, np.float32)


@contextmanager
def busy(most: int, delay_s: float = 0.0) -> Iterator[tuple[Card, Batcher, ThreadPoolExecutor]]:
    """A batcher whose card is in its first run."""
    card = Card()
    batcher = Batcher(card.run, most, delay_s)
    with ThreadPoolExecutor(32) as threads:
        try:
            first = threads.submit(batcher, tile(0), Stop())
            assert card.begun.wait(PATIENCE_S)
            yield card, batcher, threads
        finally:
            card.gate.set()
        assert (first.result(PATIENCE_S) == 0).all()


def gathered(batcher: Batcher, tiles: int) -> None:
    """Returns once so many tiles wait for the card."""
    until = monotonic() + PATIENCE_S
    while sum(group.size for group in batcher._gathering.values()) < tiles:
        assert monotonic() < until


def test_while_a_run_is_under_way_the_next_batch_gathers() -> None:
    with busy(most=8) as (card, batcher, threads):
        calls = [threads.submit(batcher, tile(value), Stop()) for value in range(1, 6)]
        gathered(batcher, 5)
        card.gate.set()
        results = [call.result(PATIENCE_S) for call in calls]
    assert [float(result[0, 0]) for result in results] == [2, 4, 6, 8, 10]
    assert {result.shape for result in results} == {(1, 2)}
    assert card.sizes == [1, 5]


def test_no_run_has_more_than_the_most() -> None:
    with busy(most=3) as (card, batcher, threads):
        calls = [threads.submit(batcher, tile(value), Stop()) for value in range(20)]
        large = threads.submit(batcher, np.ones((5, 2), np.float32), Stop())
        card.gate.set()
        assert [float(call.result(PATIENCE_S)[0, 0]) for call in calls] == [
            2.0 * value for value in range(20)
        ]
        assert (large.result(PATIENCE_S) == 2).all()
    assert max(size for size in card.sizes if size != 5) <= 3
    assert sum(card.sizes) == 26
    assert card.sizes.count(5) == 1


def test_tiles_of_different_shapes_do_not_share_a_run() -> None:
    with busy(most=8) as (card, batcher, threads):
        calls = [threads.submit(batcher, tile(1, side), Stop()) for side in (3, 4, 3, 4)]
        gathered(batcher, 4)
        card.gate.set()
        assert [call.result(PATIENCE_S).shape for call in calls] == [(1, 3), (1, 4)] * 2
    assert card.sizes == [1, 2, 2]


def test_with_a_delay_a_batch_waits_for_company_until_it_is_full() -> None:
    card = Card()
    card.gate.set()
    batcher = Batcher(card.run, 2, delay_s=PATIENCE_S)
    started = monotonic()
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(batcher, tile(1), Stop()) for _ in range(2)]
        assert all((call.result(PATIENCE_S) == 2).all() for call in calls)
    assert monotonic() - started < PATIENCE_S / 2
    assert card.sizes == [2]


def test_alone_it_waits_no_longer_than_the_delay() -> None:
    card = Card()
    card.gate.set()
    started = monotonic()
    assert (Batcher(card.run, 2, delay_s=0.05)(tile(1), Stop()) == 2).all()
    assert 0.05 <= monotonic() - started < PATIENCE_S


def test_an_error_reaches_all_who_share_the_run_and_nobody_else() -> None:
    with busy(most=2) as (card, batcher, threads):
        calls: list[Future[Array]] = []
        for count, value in enumerate((-1, 1, 1, 1), start=1):
            calls.append(threads.submit(batcher, tile(value), Stop()))
            if count % 2:
                gathered(batcher, 1)
            else:
                until = monotonic() + PATIENCE_S
                while sum(g.size for g in batcher._gathering.values()) % 2:
                    assert monotonic() < until
        card.gate.set()
        outcomes = [call.exception(PATIENCE_S) for call in calls]
    assert sum(isinstance(outcome, ZeroDivisionError) for outcome in outcomes) == 2
    assert outcomes.count(None) == 2


def test_who_is_stopped_leaves_at_once_and_the_others_get_theirs() -> None:
    stop = Stop()
    with busy(most=8) as (card, batcher, threads):
        leader = threads.submit(batcher, tile(1), Stop())
        gathered(batcher, 1)
        leaving = threads.submit(batcher, tile(2), stop)
        staying = threads.submit(batcher, tile(3), Stop())
        gathered(batcher, 3)
        stop.set()
        assert isinstance(leaving.exception(PATIENCE_S), Stopped)
        assert not staying.done()
        card.gate.set()
        assert float(leader.result(PATIENCE_S)[0, 0]) == 2
        assert float(staying.result(PATIENCE_S)[0, 0]) == 6
    assert card.sizes == [1, 2]


def test_a_run_that_nobody_waits_for_any_more_is_ended() -> None:
    card = Card()
    batcher = Batcher(card.run, 8)
    stop = Stop()
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(batcher, tile(1), stop)
        assert card.begun.wait(PATIENCE_S)
        stop.set()
        assert isinstance(call.exception(PATIENCE_S), Stopped)
    card.gate.set()
    assert (batcher(tile(1), Stop()) == 2).all()


def test_a_leader_that_was_stopped_before_it_began_still_leads() -> None:
    with busy(most=2) as (card, batcher, threads):
        stopped = Stop()
        stopped.set()
        leader = threads.submit(batcher, tile(1), stopped)
        gathered(batcher, 1)
        follower = threads.submit(batcher, tile(2), Stop())
        card.gate.set()
        assert isinstance(leader.exception(PATIENCE_S), Stopped)
        assert float(follower.result(PATIENCE_S)[0, 0]) == 4


@pytest.mark.parametrize("bundled", [False, True])
def test_a_model_gives_the_same_pictures_in_batches(bundled: bool, tmp_path: Path) -> None:
    path = Path("serving/models/x4-fast-int8.onnx") if bundled else Network("random").save(tmp_path)
    plain, batching = (load_model(path, Computing(max_batch=most)) for most in (1, 4))
    random = np.random.default_rng(0)
    tiles = [random.integers(0, 256, (1, 20, 24, 3), dtype=np.uint8) for _ in range(12)]
    with ThreadPoolExecutor(12) as threads:
        if plain.run_pixels and batching.run_pixels:
            results = threads.map(batching.run_pixels, tiles)
            for one, result in zip(tiles, results, strict=True):
                np.testing.assert_array_equal(result, plain.run_pixels(one))
            return
        floats = [one.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255) for one in tiles]
        for small, large in zip(floats, threads.map(batching.run, floats), strict=True):
            np.testing.assert_allclose(large, plain.run(small), atol=1e-5)


def test_a_server_that_batches_gives_the_same_pictures() -> None:
    files = [write_png(checker(3, height=40, width=40 + 8 * (n % 2))) for n in range(6)]
    answers = []
    for config in (ServerConfig(port=0, concurrency=1), ServerConfig(port=0, max_batch=4)):
        with (
            embedded_server(config) as address,
            UpscalerClient(address) as client,
            ThreadPoolExecutor(6) as threads,
        ):
            answers.append([result.image for result in threads.map(client.upscale, files)])
    assert answers[0] == answers[1]


def test_more_tiles_are_in_work_where_they_are_batched() -> None:
    catalog = Catalog()
    assert setting_for(catalog, ServerConfig(max_batch=8)) == Setting(16)
    assert setting_for(catalog, ServerConfig(max_batch=8, concurrency=8)) == Setting(8)
    with pytest.raises(InvalidConfig, match="max_batch is 8; expected at most concurrency, 4"):
        ServerConfig(max_batch=8, concurrency=4)
    with pytest.raises(InvalidConfig, match="max_batch"):
        ServerConfig(max_batch=0)
    with pytest.raises(InvalidConfig, match="batch_delay_ms"):
        ServerConfig(batch_delay_ms=-1)
