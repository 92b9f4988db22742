"""Nothing is computed for a client that has gone, or whose time is over."""

import random
import threading
import time
from dataclasses import dataclass

from serving.client import UpscaleFailed, UpscalerClient
from serving.stop import Stop, Stopped
from tools.stress.figures import Figure, percentile
from tools.stress.load import ONCE, picture
from tools.stress.process import ServerProcess

__all__ = ["Cancellation"]


@dataclass(frozen=True)
class Cancellation:
    """Calls that are cancelled, and calls that expire, at random moments.

    Attributes:
        rounds: calls of each kind.
        megapixels: of the picture that they send.
    """

    rounds: int = 50
    megapixels: float = 4.0

    def run(self) -> list[Figure]:
        """Return how soon the processor is idle, and how late expired calls end, at p99."""
        side = round((self.megapixels * 1e6) ** 0.5)
        moments = random.Random(0)
        after_cancelled, after_expired, overrun = [], [], []
        with (
            ServerProcess("--log-level", "error") as server,
            UpscalerClient(server.address, ONCE) as client,
        ):
            client.upscale(picture(64, 64))
            for _ in range(self.rounds):
                stop = Stop()
                timer = threading.Timer(moments.uniform(0.02, 0.6), stop.set)
                timer.start()
                try:
                    client.upscale(picture(side, side), stop=stop)
                except Stopped:
                    after_cancelled.append(server.idle_after_s())
                timeout_s = moments.uniform(0.02, 0.6)
                started = time.monotonic()
                try:
                    client.upscale(picture(side, side), timeout_s=timeout_s)
                except UpscaleFailed:
                    overrun.append(time.monotonic() - started - timeout_s)
                    after_expired.append(server.idle_after_s())
        return [
            Figure("calls cancelled", len(after_cancelled), least=1),
            Figure("processor idle after it, s at p99", percentile(after_cancelled, 99), most=0.2),
            Figure("calls expired", len(overrun), least=1),
            Figure("processor idle after it, s at p99", percentile(after_expired, 99), most=0.2),
            Figure("end past the deadline, s at p99", percentile(overrun, 99), most=0.1),
        ]
