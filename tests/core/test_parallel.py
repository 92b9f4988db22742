"""A parallel map: everything in order, few results ahead, and an end at the first error."""

import time
from threading import Event, Lock

import pytest

from core.parallel import parallel_map


def test_results_come_in_order_however_long_each_takes() -> None:
    def slow(item: int) -> int:
        time.sleep(0.002 * (item % 3))
        return item * item

    with parallel_map(slow, range(40), 4) as results:
        assert list(results) == [item * item for item in range(40)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_fewer_items_than_are_begun_ahead_come_too(count: int) -> None:
    with parallel_map(str, range(count), 2) as results:
        assert list(results) == [str(item) for item in range(count)]


def test_no_more_are_begun_ahead_than_twice_the_workers() -> None:
    begun: list[int] = []
    lock = Lock()

    def note(item: int) -> None:
        with lock:
            begun.append(item)

    with parallel_map(note, range(100), 3) as results:
        for taken, _ in enumerate(results, 1):
            assert len(begun) < taken + 6


def test_an_error_is_raised_at_once_and_what_has_not_begun_never_does() -> None:
    begun: list[int] = []
    failed = Event()

    def fail(item: int) -> None:
        begun.append(item)
        if item == 3:
            failed.set()
            raise ValueError("the fourth")

    def take_slowly() -> None:
        with parallel_map(fail, range(100), 1) as results:
            for _ in results:
                failed.wait(0.01)

    with pytest.raises(ValueError, match="the fourth"):
        take_slowly()
    assert begun[-1] <= 6


def test_a_consumer_that_gives_up_does_not_wait_for_the_rest() -> None:
    begun: list[int] = []
    going_on = Event()

    def wait(item: int) -> int:
        begun.append(item)
        if item:
            going_on.wait(10)
        return item

    def give_up() -> None:
        with parallel_map(wait, range(100), 2) as results:
            next(results)
            going_on.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()
    assert len(begun) <= 4
