"""Averages of what training reports, handed to whoever shows or keeps them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor

from core.divergence import require_finite_values
from core.trainer import StepReport, Trainer

__all__ = ["Averages", "Sink"]


class Sink(Protocol):
    """Receives averages, every so many steps."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Take the means of each value since the last call; ``step`` steps are done."""

    def close(self) -> None:
        """Finish."""


class Averages:
    """An observer that reads the device every ``every`` steps, and at the end, and tells its sinks.

    An average that is no longer finite ends training there, and no sink hears of it.
    ``time/data_wait`` is the share of the steps' time that was spent waiting for data.
    """

    def __init__(self, sinks: Sequence[Sink], every: int) -> None:
        """Average over ``every`` steps.

        Raises:
            ValueError: if ``every`` is not positive.
        """
        if every < 1:
            raise ValueError(f"every must be at least 1, not {every}")
        self.sinks = list(sinks)
        self.every = every
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._seconds = 0.0
        self._data_wait = 0.0

    def after_step(self, trainer: Trainer, report: StepReport) -> None:
        """Add a step to the averages, and hand them on when they are due.

        Raises:
            Diverged: if one of them is no longer finite.
        """
        for name, value in report.values.items():
            previous = self._sums.get(name)
            self._sums[name] = value.float() if previous is None else previous + value
            self._counts[name] = self._counts.get(name, 0) + 1
        self._seconds += report.seconds
        self._data_wait += report.data_wait
        if report.step % self.every == 0 or report.step == trainer.until:
            means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
            require_finite_values(report.step, means)
            means["time/data_wait"] = self._data_wait / max(self._seconds, 1e-9)
            self._sums, self._counts = {}, {}
            self._seconds = self._data_wait = 0.0
            for sink in self.sinks:
                sink.write(report.step, means)

    def close(self) -> None:
        """Close the sinks."""
        for sink in self.sinks:
            sink.close()
