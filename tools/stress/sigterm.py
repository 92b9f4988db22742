"""A server that is told to end under load loses no call that it has accepted."""

import signal
import time
from dataclasses import dataclass

from tools.stress.figures import Figure
from tools.stress.load import Load, picture
from tools.stress.process import ServerProcess

__all__ = ["Sigterm"]


@dataclass(frozen=True)
class Sigterm:
    """SIGTERM under load: no accepted call is lost, later ones are UNAVAILABLE, exit code 0.

    Attributes:
        rounds: servers that are started and ended.
        clients: that call each.
    """

    rounds: int = 20
    clients: int = 6

    def run(self) -> list[Figure]:
        """Return the calls lost, those refused in another way than promised, and the exit codes."""
        well = lost = otherwise = wrong_ends = 0
        for _ in range(self.rounds):
            with (
                ServerProcess("--log-level", "warning") as server,
                Load(server.address, self.clients, picture(256, 256), 0.02) as load,
            ):
                time.sleep(0.7)
                told = time.monotonic()
                server.tell(signal.SIGTERM)
                wrong_ends += server.end() != 0
                load.stop()
            well += len(load.well)
            for call in load.ended:
                if call.failure is None or call.failure.reason == "SERVER_STOPPING":
                    continue
                lost += call.started < told
                otherwise += call.started >= told and call.failure.code.name != "UNAVAILABLE"
        return [
            Figure("calls that ended well", well, least=1),
            Figure("accepted calls lost", lost, most=0),
            Figure("later calls refused otherwise than by UNAVAILABLE", otherwise, most=0),
            Figure("ends with another exit code than 0", wrong_ends, most=0),
        ]
