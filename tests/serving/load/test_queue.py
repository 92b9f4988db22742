import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from serving.errors import ServerBusy
from serving.load.queue import SMALLEST, PixelQueue
from serving.priority import Priority

SMALL, LARGE = 2**16, 2**22


class Requests:
    """Requests that take and give back their places when they are told."""

    def __init__(self, queue: PixelQueue) -> None:
        self._queue = queue
        self._tasks: list[asyncio.Task[None]] = []
        self.ends: list[asyncio.Event] = []
        self.begun: list[int] = []

    async def add(self, cost: int, priority: Priority = Priority.NORMAL) -> int:
        number = len(self._tasks)
        self.ends.append(asyncio.Event())

        async def request() -> None:
            async with self._queue.place(cost, priority=priority):
                self.begun.append(number)
                await self.ends[number].wait()

        self._tasks.append(asyncio.create_task(request()))
        await self.settle()
        return number

    async def end(self, number: int) -> None:
        self.ends[number].set()
        await self._tasks[number]
        await self.settle()

    async def cancel(self, number: int) -> None:
        self._tasks[number].cancel()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_whoever_observes_knows_what_runs_and_what_waits() -> None:
    async def scenario() -> None:
        seen: list[tuple[int, int, int]] = []
        queue = PixelQueue(
            100 * LARGE,
            abreast=1,
            observe=lambda queue: seen.append((queue.requests, queue.running, queue.pixels)),
        )
        requests = Requests(queue)
        for number in range(10):
            await requests.add(LARGE)
            assert seen[-1] == (number + 1, 1, (number + 1) * LARGE)
        await requests.cancel(9)
        assert seen[-1] == (9, 1, 9 * LARGE)
        for number in range(9):
            await requests.end(number)
        assert seen[-1] == (0, 0, 0)

    run(scenario())


def test_requests_of_one_size_wait_for_each_other_in_order() -> None:
    async def scenario() -> None:
        requests = Requests(PixelQueue(100 * LARGE, abreast=2))
        for _ in range(4):
            await requests.add(LARGE)
        assert requests.begun == [0, 1]
        await requests.end(1)
        assert requests.begun == [0, 1, 2]

    run(scenario())


def test_a_small_request_never_waits_for_large_ones() -> None:
    async def scenario() -> None:
        requests = Requests(PixelQueue(100 * LARGE, abreast=1))
        for _ in range(5):
            await requests.add(LARGE)
        small = await requests.add(SMALL)
        assert requests.begun == [0, small]

    run(scenario())


def test_an_urgent_request_never_waits_for_others() -> None:
    async def scenario() -> None:
        requests = Requests(PixelQueue(100 * LARGE, abreast=1))
        for _ in range(3):
            await requests.add(LARGE)
        urgent = await requests.add(LARGE, Priority.HIGH)
        assert requests.begun == [0, urgent]

    run(scenario())


def test_a_full_queue_refuses_at_once_and_recovers() -> None:
    async def scenario() -> None:
        queue = PixelQueue(2 * LARGE, abreast=1)
        requests = Requests(queue)
        await requests.add(LARGE)
        await requests.add(LARGE)
        with pytest.raises(ServerBusy, match=rf"^queue is full with {2 * LARGE} pixels") as caught:
            queue.check()
        assert caught.value.retry_after_s > 0
        await requests.end(0)
        queue.check()
        await requests.add(LARGE)
        assert queue.pixels == 2 * LARGE

    run(scenario())


def test_the_smallest_request_counts_for_something() -> None:
    async def scenario() -> None:
        queue = PixelQueue(2 * SMALLEST, abreast=1)
        requests = Requests(queue)
        await requests.add(1)
        await requests.add(1)
        with pytest.raises(ServerBusy):
            queue.check()

    run(scenario())


def test_one_that_is_larger_than_the_queue_runs_alone() -> None:
    async def scenario() -> None:
        requests = Requests(PixelQueue(SMALL, abreast=1))
        await requests.add(LARGE)
        assert requests.begun == [0]

    run(scenario())


def test_a_waiting_request_that_is_cancelled_gives_its_place_back() -> None:
    async def scenario() -> None:
        queue = PixelQueue(2 * LARGE, abreast=1)
        requests = Requests(queue)
        for _ in range(2):
            await requests.add(LARGE)
        await requests.cancel(1)
        assert (queue.pixels, queue.requests, queue.running) == (LARGE, 1, 1)
        await requests.add(LARGE)
        await requests.end(0)
        assert requests.begun == [0, 2]

    run(scenario())


def test_the_time_to_come_back_follows_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("serving.load.queue.monotonic", lambda: now[0])

    async def scenario() -> None:
        queue = PixelQueue(2 * LARGE, abreast=1)
        requests = Requests(queue)
        await requests.add(LARGE)
        await requests.add(LARGE)
        now[0] = 10.0
        await requests.end(0)
        await requests.add(LARGE)
        with pytest.raises(ServerBusy) as caught:
            async with queue.place(LARGE // 2):
                pass
        assert caught.value.retry_after_s == pytest.approx(5.0)

    run(scenario())
