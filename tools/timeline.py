"""Show what each thread does while a picture is upscaled, and how busy the processors are."""

import logging
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from core.command import UserError, run_command
from serving.catalog import DEFAULT_MODEL, Catalog
from serving.codec.formats import ImageFormat
from serving.errors import ServingError
from serving.pipeline.upscaler import DEFAULT_MAX_OUTPUT_PIXELS, Options, Upscaler
from serving.processor import available_processors
from serving.stages import Event
from tools.engines import busy_seconds

__all__ = ["TimelineConfig", "busy", "show"]

logger = logging.getLogger(__name__)

# Threads that wait are shown as nothing.
_WAITING = "wait"


@dataclass(frozen=True)
class TimelineConfig:
    """What to upscale.

    Attributes:
        picture: the image file; a large one shows most.
        out: the plot.
        model: name of a bundled model.
        format: of the result.
        workers: tiles computed at the same time.
    """

    picture: Annotated[Path, tyro.conf.Positional]
    out: Path = Path("timeline.png")
    model: str = DEFAULT_MODEL
    format: ImageFormat = ImageFormat.JPEG
    workers: int = available_processors()

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UserError(f"--workers must be at least 1, not {self.workers}")
        if not self.picture.is_file():
            raise UserError(f"there is no file {self.picture}")


def busy(events: Sequence[Event]) -> dict[int, dict[str, float]]:
    """Return seconds that each thread spent at each stage, the threads in order of appearance."""
    spent: dict[int, dict[str, float]] = {}
    for event in sorted(events, key=lambda event: event.start):
        stages = spent.setdefault(event.thread, defaultdict(float))
        stages[event.stage] += (event.stop - event.start) / 1e9
    return spent


def show(config: TimelineConfig) -> bool:
    """Upscale the picture once, print the shares of time, and draw the timeline."""
    data = config.picture.read_bytes()
    try:
        upscaler = Upscaler(
            Catalog(default=config.model),
            config.workers,
            max_output_pixels=2 * DEFAULT_MAX_OUTPUT_PIXELS,
        )
        upscaler.warm_up()
        start, used, all_used = time.perf_counter(), time.process_time(), busy_seconds()
        upscaling = upscaler.upscale(data, Options(format=config.format))
        size = sum(len(chunk) for chunk in upscaling.chunks())
        seconds, used = time.perf_counter() - start, time.process_time() - used
        others = max(0.0, busy_seconds() - all_used - used)
    except ServingError as error:
        raise UserError(str(error)) from error
    upscaler.close()
    output = upscaling.output
    sys.stdout.write(
        f"{output.width}x{output.height} by {upscaling.model_name} in {seconds:.2f} s, "
        f"{size / 1e6:.1f} MB; {used / seconds / config.workers:.0%} of {config.workers} "
        f"processors busy, {others / seconds:.2f} with other processes\n"
    )
    threads = busy(upscaling.stages.events)
    for number, stages in enumerate(threads.values()):
        shares = ", ".join(f"{stage} {spent / seconds:.0%}" for stage, spent in stages.items())
        sys.stdout.write(f"thread {number}: {shares}\n")
    _draw(upscaling.stages.events, [*threads], config.out)
    return True


def _draw(events: Sequence[Event], threads: Sequence[int], out: Path) -> None:
    import matplotlib.pyplot as plt

    begin = min(event.start for event in events)
    stages = [
        stage for stage in dict.fromkeys(event.stage for event in events) if stage != _WAITING
    ]
    figure, axes = plt.subplots(figsize=(10, 1 + 0.6 * len(threads)), layout="constrained")
    for colour, stage in enumerate(stages):
        for row, thread in enumerate(threads):
            bars = [
                ((event.start - begin) / 1e9, (event.stop - event.start) / 1e9)
                for event in events
                if event.stage == stage and event.thread == thread
            ]
            label = stage if row == 0 else None
            axes.broken_barh(bars, (row - 0.4, 0.8), color=f"C{colour}", label=label)
    axes.set_yticks(range(len(threads)), [f"thread {row}" for row in range(len(threads))])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds")
    figure.legend(loc="outside right upper")  # where it hides no work
    figure.savefig(out)
    plt.close(figure)


def main() -> None:
    """Run ``python -m tools.timeline``."""
    run_command(TimelineConfig, show)


if __name__ == "__main__":
    main()
