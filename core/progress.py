"""Progress of a run: a bar in a terminal, a line now and then in a log file."""

import logging
import time
from collections.abc import Mapping

from tqdm import tqdm

from core.trainer import StepReport, Trainer

__all__ = ["Progress"]

logger = logging.getLogger(__name__)


class Progress:
    """An observer that moves a bar, and a sink that shows the averages with the time left."""

    def __init__(self, until: int, step: int = 0, log_seconds: float = 30.0) -> None:
        """Count from ``step`` to ``until``; without a terminal, log once in ``log_seconds``."""
        self._until = until
        self._first = step
        self._began = time.monotonic()
        self._log_seconds = log_seconds
        self._logged = float("-inf")
        self._bar = tqdm(total=until, initial=step, unit="step", disable=None, dynamic_ncols=True)

    def after_step(self, trainer: Trainer, report: StepReport) -> None:  # noqa: ARG002
        """Move the bar by a step."""
        self._bar.update()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Show averages."""
        shown = {name.replace("generator/", "g/").replace("discriminator/", "d/"): f"{value:.4g}"
                 for name, value in values.items()}  # fmt: skip
        if not self._bar.disable:
            self._bar.set_postfix(shown, refresh=False)
            return
        now = time.monotonic()
        if now - self._logged < self._log_seconds and step < self._until:
            return
        self._logged = now
        left = (now - self._began) / max(step - self._first, 1) * (self._until - step)
        numbers = "  ".join(f"{name} {value}" for name, value in shown.items())
        clock = tqdm.format_interval(left)
        logger.info("step %d of %d  %s left  %s", step, self._until, clock, numbers)

    def close(self) -> None:
        """Leave the bar as it is and free the line; safe to call twice."""
        self._bar.close()
