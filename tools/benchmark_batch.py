"""Whether a batch of equal tiles takes less time a tile than each alone.

Usage: ``python tools/benchmark_batch.py``.
"""

import sys
from time import process_time

import numpy as np

from serving.catalog import Catalog
from serving.model import Model
from serving.processor import processor_name

_BATCHES = (1, 2, 4, 8)
_SIDE = 128
_TURNS = 5
_RUNS = 3


def seconds(model: Model, batch: int) -> float:
    """Return the processor time that a tile takes in batches of this size."""
    shape = (batch, _SIDE, _SIDE, 3)
    tiles = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    floats = np.divide(np.ascontiguousarray(tiles.transpose(0, 3, 1, 2)), 255, dtype=np.float32)
    run = (lambda: model.run_pixels(tiles)) if model.run_pixels else (lambda: model.run(floats))
    run()
    started = process_time()
    for _ in range(_RUNS):
        run()
    return (process_time() - started) / (_RUNS * batch)


def main() -> None:
    """Print the least of several turns, in milliseconds of one thread, for both bundled models."""
    catalog = Catalog()
    sys.stdout.write(f"{processor_name()}, one thread, ms a tile of {_SIDE}x{_SIDE} pixels\n")
    for name in ("x4-fast-fp32", "x4-fast-int8"):
        model = catalog.load(name)
        taken = dict.fromkeys(_BATCHES, 1000.0)
        for _ in range(_TURNS):
            for batch in _BATCHES:
                taken[batch] = min(taken[batch], seconds(model, batch))
        figures = ", ".join(f"{1000 * time:.1f} in {batch}s" for batch, time in taken.items())
        sys.stdout.write(f"{name}: {figures}\n")


if __name__ == "__main__":
    main()
