"""A worker that is killed takes its own calls with it and no others, and is soon replaced."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tools.stress.figures import Figure
from tools.stress.load import Load, picture
from tools.stress.process import ServerProcess

__all__ = ["WorkerKill"]

_LISTEN = "0A"
_WAIT_S = 30.0


@dataclass(frozen=True)
class WorkerKill:
    """kill -9 of one of two workers under load.

    Attributes:
        rounds: workers that are killed.
        clients: that call.
    """

    rounds: int = 5
    clients: int = 4

    def run(self) -> list[Figure]:
        """Return the calls lost, those of them that the dead worker did not hold, and the time."""
        lost = others = 0
        recovery = []
        for _ in range(self.rounds):
            with (
                ServerProcess("--workers", "2", "--log-level", "error") as server,
                Load(server.address, self.clients, picture(256, 256), 0.02) as load,
            ):
                time.sleep(2.5)
                victim = server.children()[-1]
                killed = time.monotonic()
                os.kill(victim, signal.SIGKILL)
                while _listeners(server.address) > 1 and time.monotonic() - killed < 1:
                    time.sleep(0.01)
                while _listeners(server.address) < 2 and time.monotonic() - killed < _WAIT_S:
                    time.sleep(0.01)
                recovery.append(time.monotonic() - killed)
            failed = [call for call in load.ended if call.failure]
            lost += len(failed)
            others += sum(call.started > killed for call in failed)
        return [
            Figure("calls lost", lost, most=self.rounds * self.clients),
            Figure("calls lost that the dead worker did not hold", others, most=0),
            Figure("slowest recovery, s", max(recovery), most=_WAIT_S),
        ]


def _listeners(address: str) -> int:
    """Return how many sockets listen on a port."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    tables = [Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] == _LISTEN for row in rows)
