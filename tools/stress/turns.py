"""The same pictures by two ways, in turns, so that whatever else the machine does slows both."""

import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

__all__ = ["seconds_in_turns"]


def seconds_in_turns(
    ways: Mapping[str, Callable[[int], int]], pictures: int, turns: int, callers: int
) -> dict[str, float]:
    """Return the median seconds that each way takes for all pictures; one turn goes before.

    Args:
        ways: upscale picture number so-and-so and return the bytes of the result, the same for all.
        pictures: of each turn.
        turns: of each way that count.
        callers: at the same time.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with ThreadPoolExecutor(callers) as threads:
        for turn in range(turns + 1):
            for name, way in ways.items():
                started = time.monotonic()
                sizes = set(threads.map(way, range(pictures)))
                assert len(sizes) == 1
                if turn:  # The first one warms up.
                    seconds[name].append(time.monotonic() - started)
    return {name: statistics.median(taken) for name, taken in seconds.items()}
