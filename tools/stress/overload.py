"""A server that gets several times what it can do goes on doing what it can."""

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import grpc

from protos.upscaler.v1 import upscaler_pb2
from tools.stress.bare_client import BareClient
from tools.stress.figures import Figure, percentile
from tools.stress.load import picture
from tools.stress.process import ServerProcess

__all__ = ["Overload"]

_SIDE = 256
_QUEUED = 8
_FEW = 4  # clients that keep the server busy, and are never refused
_METHOD = f"/{upscaler_pb2.DESCRIPTOR.services_by_name['UpscalerService'].full_name}/Upscale"


@dataclass(frozen=True)
class Overload:
    """Several times the load that the server can bear.

    Attributes:
        seconds: of overload; the capacity is measured for a sixth of it before, and after.
        times: the capacity that is asked for.
    """

    seconds: float = 120.0
    times: float = 5.0

    def run(self) -> list[Figure]:
        """Return goodput, the time that refusals take, and the growth of memory."""
        queued = str(_QUEUED * _SIDE**2)
        request = upscaler_pb2.UpscaleRequest(image=picture(_SIDE, _SIDE)).SerializeToString()
        with ServerProcess("--max-queued-pixels", queued, "--log-level", "error") as server:
            before = _load(server.address, request, _FEW, 0.0, self.seconds / 6)
            # As many clients as the queue holds wait in it; the others are refused, and so often
            # that all together ask for what they shall.
            clients = 3 * _QUEUED
            pause_s = (clients - _QUEUED) / ((self.times - 1) * before.well / before.seconds)
            resident = server.resident_mib()
            load = _load(server.address, request, clients, pause_s, self.seconds)
            growth = server.resident_mib() - resident
            after = _load(server.address, request, _FEW, 0.0, self.seconds / 6)
        # A machine that others use too is not always as fast.
        capacity = (before.well + after.well) / (before.seconds + after.seconds)
        asked = (load.well + len(load.refusals_s) + load.others) / load.seconds
        return [
            Figure("capacity, pictures a second", capacity),
            Figure("asked for, pictures a second", asked),
            Figure("goodput over capacity", load.well / load.seconds / capacity, least=0.9),
            Figure("refusals", len(load.refusals_s), least=1),
            Figure("a refusal takes, s at p50", percentile(load.refusals_s, 50)),
            Figure("a refusal takes, s at p99", percentile(load.refusals_s, 99), most=0.02),
            Figure("failures for other reasons", load.others, most=0),
            Figure("memory grows by, MiB", growth, most=16),
        ]


@dataclass
class _Outcome:
    """What became of many calls: seconds of them all, and of each that was refused."""

    well: int = 0
    others: int = 0
    refusals_s: list[float] = field(default_factory=list)
    seconds: float = 0.0


def _load(address: str, message: bytes, clients: int, pause_s: float, seconds: float) -> _Outcome:
    """Let clients call for a while, with a pause after each refusal.

    They share one thread and do without gRPC's library: what they take of the processors is not
    there for the server that they judge. Like people they know nothing of each other: pauses are of
    random length, `pause_s` on average, or all would call at the same moment again and again.
    """
    outcome = _Outcome()
    chance = random.Random(0)

    async def pause() -> None:
        await asyncio.sleep(chance.expovariate(1 / pause_s) if pause_s else 0)

    async def calling(client: BareClient, over: float) -> None:
        await pause()
        while (started := time.monotonic()) < over:
            try:
                status = await client.call()
            except ConnectionError:
                outcome.others += 1
                return
            if status is grpc.StatusCode.OK:
                outcome.well += 1
                continue
            if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
                outcome.refusals_s.append(time.monotonic() - started)
            else:
                outcome.others += 1
            await pause()

    async def all_clients() -> None:
        async with AsyncExitStack() as stack:
            callers = [
                await stack.enter_async_context(BareClient(address, _METHOD, message))
                for _ in range(clients)
            ]
            started = time.monotonic()
            await asyncio.gather(*[calling(client, started + seconds) for client in callers])
            outcome.seconds = time.monotonic() - started

    with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop of its own
        thread.submit(lambda: asyncio.run(all_clients())).result()
    return outcome
