import asyncio
from collections.abc import Coroutine
from typing import Any

from serving.load.lane import Lane


class Clients:
    """Requests of clients, told apart by a name and a number (``a1``)."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.ends: dict[str, asyncio.Event] = {}
        self.begun: list[str] = []

    async def add(self, *names: str) -> None:
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._request(name))
            await asyncio.sleep(0)

    async def _request(self, name: str) -> None:
        async with self._lane.place(name[0]):
            self.begun.append(name)
            await self.ends[name].wait()

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
            await self.tasks[name]
            await asyncio.sleep(0)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_clients_take_turns_whoever_has_more_waiting() -> None:
    async def scenario() -> None:
        clients = Clients(Lane(1))
        await clients.add("a0", "a1", "a2", "a3", "b0", "c0", "b1")
        await clients.end("a0", "a1", "b0", "c0", "a2", "b1", "a3")
        assert clients.begun == ["a0", "a1", "b0", "c0", "a2", "b1", "a3"]

    run(scenario())


def test_so_many_run_as_there_are_places() -> None:
    async def scenario() -> None:
        clients = Clients(Lane(2))
        await clients.add("a0", "a1", "a2")
        assert clients.begun == ["a0", "a1"]
        await clients.end("a1")
        assert clients.begun == ["a0", "a1", "a2"]
        await clients.end("a0", "a2")
        await clients.add("b0", "b1", "b2")
        assert clients.begun[3:] == ["b0", "b1"]

    run(scenario())


def test_whoever_gives_up_loses_no_place() -> None:
    async def scenario() -> None:
        clients = Clients(Lane(1))
        await clients.add("a0", "a1", "b0", "b1")
        clients.tasks["a1"].cancel()
        await clients.end("a0")
        assert clients.begun == ["a0", "b0"]
        # The place is given and the wait is cancelled at the same moment.
        clients.ends["b0"].set()
        await asyncio.wait([clients.tasks["b0"]])
        clients.tasks["b1"].cancel()
        await asyncio.wait([clients.tasks["b1"]])
        await clients.add("c0")
        assert clients.begun[-1] == "c0"

    run(scenario())
