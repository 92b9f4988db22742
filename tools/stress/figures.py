"""What a proof measures, and what is promised of it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

__all__ = ["Figure", "percentile", "report"]


@dataclass(frozen=True)
class Figure:
    """A figure and its bounds.

    Attributes:
        name: what was measured, with its unit.
        value: what came out.
        least: that is promised, or None.
        most: that is promised, or None.
    """

    name: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    def __str__(self) -> str:
        promised = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.least), ("at most", self.most))
            if bound is not None
        ]
        verdict = f"  ({' and '.join(promised)}: {'holds' if self.holds else 'FAILS'})"
        return f"{self.name}: {self.value:.4g}{verdict if promised else ''}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of all values do not exceed; NaN of none."""
    if not values:
        return float("nan")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def report(figures: Sequence[Figure]) -> bool:
    """Print the figures; return whether all promises are kept."""
    for figure in figures:
        sys.stdout.write(f"{figure}\n")
    return all(figure.holds for figure in figures)
