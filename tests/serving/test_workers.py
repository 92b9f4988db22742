import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing

import pytest

from serving.errors import ServerBusy
from serving.stop import Stop
from serving.workers import WorkerPool

Put = Callable[[int], None]


async def all_of(pool: WorkerPool, work: Callable[[Put], None]) -> list[int]:
    return [item async for item in pool.produce(work, Stop())]


def test_items_come_in_order() -> None:
    def work(put: Put) -> None:
        for number in range(50):
            put(number)

    assert asyncio.run(all_of(WorkerPool(1, 0), work)) == list(range(50))


def test_what_the_work_raises_comes_after_its_items() -> None:
    def work(put: Put) -> None:
        put(1)
        raise ZeroDivisionError

    async def scenario() -> list[int]:
        items = []

        async def take() -> None:
            async for item in WorkerPool(1, 0).produce(work, Stop()):
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
        async with aclosing(WorkerPool(1, 0).produce(work, Stop())) as items:
            async for _ in items:
                break
            await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert len(made) < 10


def test_a_full_queue_refuses_and_recovers() -> None:
    async def scenario() -> None:
        pool = WorkerPool(workers=1, max_waiting=1)
        gate = threading.Event()

        def wait(put: Put) -> None:
            gate.wait()
            put(1)

        calls = [asyncio.create_task(all_of(pool, wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ServerBusy, match="full with 1 requests"):
            await all_of(pool, wait)
        gate.set()
        assert await asyncio.gather(*calls) == [[1], [1]]
        assert await all_of(pool, wait) == [1]

    asyncio.run(scenario())


def test_a_waiting_call_that_is_cancelled_gives_its_place_back() -> None:
    async def scenario() -> None:
        pool = WorkerPool(workers=1, max_waiting=1)
        gate = threading.Event()

        def wait(put: Put) -> None:
            gate.wait()
            put(1)

        running = asyncio.create_task(all_of(pool, wait))
        waiting = asyncio.create_task(all_of(pool, wait))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        next_in_line = asyncio.create_task(all_of(pool, wait))
        await asyncio.sleep(0)
        gate.set()
        assert await next_in_line == [1]
        assert await running == [1]

    asyncio.run(scenario())
