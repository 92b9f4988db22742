"""Time ONNX models against each other: interleaved runs of one picture, medians, ratios."""

import logging
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
import tyro

from core.command import UserError, run_command
from tools.machine import processor

__all__ = ["BenchmarkConfig", "benchmark", "median_seconds"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BenchmarkConfig:
    """What to time.

    Attributes:
        models: ONNX files that take float32 [N, 3, H, W]; the first one is the reference.
        size: side of the square picture.
        threads: of each model's session.
        runs: counted runs of each model; one more goes before.
    """

    models: Annotated[tuple[Path, ...], tyro.conf.Positional]
    size: int = 256
    threads: int = 2
    runs: int = 15

    def __post_init__(self) -> None:
        for name in ("size", "threads", "runs"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, not {getattr(self, name)}")


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Sessions that spin while they wait slow each other down.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, one for each status
        raise UserError(f"{path} cannot be opened by ONNX Runtime: {error}") from error


def median_seconds(models: Sequence[Path], size: int, threads: int, runs: int) -> list[float]:
    """Return each model's median time for a square picture, the models taking turns.

    Raises:
        UserError: if a file cannot be opened.
    """
    sessions = [_session(path, threads) for path in models]
    picture = np.random.default_rng(0).random((1, 3, size, size), dtype=np.float32)
    feeds = [{session.get_inputs()[0].name: picture} for session in sessions]
    seconds: list[list[float]] = [[] for _ in sessions]
    for run in range(runs + 1):
        for session, feed, taken in zip(sessions, feeds, seconds, strict=True):
            start = time.perf_counter()
            session.run(None, feed)
            if run:
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def benchmark(config: BenchmarkConfig) -> bool:
    """Time the models in turn, run by run, and print medians and ratios to the first."""
    medians = median_seconds(config.models, config.size, config.threads, config.runs)
    sys.stdout.write(
        f"{config.size}x{config.size}, {config.threads} threads, {processor()}, "
        f"ONNX Runtime {onnxruntime.__version__}\n{'model':<32}{'ms':>9}{'ratio':>8}\n"
    )
    for path, median in zip(config.models, medians, strict=True):
        sys.stdout.write(f"{path.name:<32}{1e3 * median:>9.1f}{median / medians[0]:>8.2f}\n")
    return True


def main() -> None:
    """Run ``python tools/benchmark.py``."""
    run_command(BenchmarkConfig, benchmark)


if __name__ == "__main__":
    main()
