"""Memory does not grow with the number of requests."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from serving.client import UpscalerClient
from tools.stress.figures import Figure
from tools.stress.load import ONCE, picture, upscaled
from tools.stress.process import ServerProcess

__all__ = ["Soak"]

_SIDES = (32, 64, 128, 200, 256, 400)
_FORMATS: tuple[Literal["JPEG", "PNG"], ...] = ("JPEG", "PNG")
_BATCH = 50


@dataclass(frozen=True)
class Soak:
    """Pictures of mixed sizes and formats for a long time.

    Attributes:
        minutes: that it lasts; the first fifth is for warming up.
        clients: at the same time.
    """

    minutes: float = 30.0
    clients: int = 4

    def run(self) -> list[Figure]:
        """Return the slope of memory over requests."""
        chance = random.Random(0)
        done: list[int] = []
        resident: list[float] = []
        failures = requests = 0
        end = time.monotonic() + 60 * self.minutes
        warm = time.monotonic() + 12 * self.minutes
        with (
            ServerProcess("--log-level", "error") as server,
            UpscalerClient(server.address, ONCE) as client,
            ThreadPoolExecutor(self.clients) as threads,
        ):
            while time.monotonic() < end:
                images = [
                    picture(
                        chance.choice(_SIDES), chance.choice(_SIDES), chance.choice(("JPEG", "PNG"))
                    )
                    for _ in range(_BATCH)
                ]
                ended = list(threads.map(lambda image: upscaled(client, image), images))
                failures += sum(call.failure is not None for call in ended)
                requests += len(ended)
                if time.monotonic() > warm:
                    done.append(requests)
                    resident.append(server.resident_mib())
        slope = float(np.polyfit(done, resident, 1)[0]) if len(done) > 2 else float("nan")
        return [
            Figure("requests", requests, least=1),
            Figure("failures", failures, most=0),
            Figure("memory in the end, MiB", resident[-1] if resident else float("nan")),
            Figure("slope, MiB a 1,000 requests", 1000 * slope, most=1),
        ]
