import asyncio
import gc
from collections.abc import Callable
from contextlib import aclosing, suppress

import pytest

from serving.load.threads import Threads
from serving.stop import Stop, Stopped

Put = Callable[[int], None]


async def all_of(pool: Threads, work: Callable[[Put], None]) -> list[int]:
    return [item async for item in pool.produce(work, Stop())]


def test_items_come_in_order() -> None:
    def work(put: Put) -> None:
        for number in range(50):
            put(number)

    assert asyncio.run(all_of(Threads(1), work)) == list(range(50))


def test_what_the_work_raises_comes_after_its_items() -> None:
    def work(put: Put) -> None:
        put(1)
        raise ZeroDivisionError

    async def scenario() -> list[int]:
        items = []

        async def take() -> None:
            async for item in Threads(1).produce(work, Stop()):
                items.append(item)

        with pytest.raises(ZeroDivisionError):
            await take()
        return items

    assert asyncio.run(scenario()) == [1]


def test_work_waits_for_whoever_takes_and_ends_when_given_up() -> None:
    made = []

    def work(put: Put) -> None:
        for number in range(1000):
            put(number)
            made.append(number)

    async def scenario() -> None:
        async with aclosing(Threads(1).produce(work, Stop())) as items:
            async for _ in items:
                break
            await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert len(made) < 10


def test_what_the_work_raises_after_it_was_given_up_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop = Stop()

    def work(put: Put) -> None:
        put(1)
        with suppress(Stopped):
            stop.sleep(5)
        raise ZeroDivisionError

    async def scenario() -> None:
        async with aclosing(Threads(1).produce(work, stop)) as items:
            async for _ in items:
                break

    asyncio.run(scenario())
    gc.collect()
    assert caplog.records == []
