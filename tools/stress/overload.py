"""A server that gets several times what it can do goes on doing what it can."""

import time
from dataclasses import dataclass

from tools.stress.figures import Figure, percentile
from tools.stress.load import Load, picture
from tools.stress.process import ServerProcess

__all__ = ["Overload"]

_SIDE = 256
_QUEUED = 8


@dataclass(frozen=True)
class Overload:
    """Several times the load that the server can bear.

    Attributes:
        seconds: of overload; the capacity is measured for a third of it before.
        times: the capacity that is asked for.
    """

    seconds: float = 60.0
    times: float = 5.0

    def run(self) -> list[Figure]:
        """Return goodput, the time that refusals take, and the growth of memory."""
        queued = _QUEUED * _SIDE * _SIDE
        with ServerProcess("--max-queued-pixels", str(queued), "--log-level", "error") as server:
            with Load(server.address, 4, picture(_SIDE, _SIDE)) as load:
                time.sleep(self.seconds / 3)
                load.stop()
            capacity = len(load.well) / (self.seconds / 3)
            # As many clients as the queue holds wait in it; the others are refused, and so often
            # that all together ask for what they shall.
            clients = 3 * _QUEUED
            pause_s = (clients - _QUEUED) / ((self.times - 1) * capacity)
            resident = server.resident_mib()
            started = time.monotonic()
            with Load(server.address, clients, picture(_SIDE, _SIDE), pause_s) as load:
                time.sleep(self.seconds)
                load.stop()
            seconds = time.monotonic() - started
            growth = server.resident_mib() - resident
        refused = [call.seconds for call in load.ended if call.failure]
        other = [failure for failure in load.failures if failure.reason != "SERVER_BUSY"]
        return [
            Figure("capacity, pictures a second", capacity),
            Figure("asked for, pictures a second", len(load.ended) / seconds),
            Figure("goodput over capacity", len(load.well) / seconds / capacity, least=0.9),
            Figure("refusals", len(refused), least=1),
            Figure("a refusal takes, s at p99", percentile(refused, 99), most=0.02),
            Figure("failures for other reasons", len(other), most=0),
            Figure("memory grows by, MiB", growth, most=64),
        ]
