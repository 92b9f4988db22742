"""Draws quality against speed, one point a network on its engine."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.command import UserError

__all__ = ["Point", "draw", "read_rivals"]

_COLUMNS = ("network", "engine", "megapixels_per_second")


@dataclass(frozen=True)
class Point:
    """A network on an engine.

    Attributes:
        network: its name.
        engine: what runs it.
        speed: output megapixels a second.
        quality: dB.
    """

    network: str
    engine: str
    speed: float
    quality: float


def read_rivals(path: Path, test_set: str) -> list[Point]:
    """Read a table of networks measured elsewhere: CSV, with lines of remarks that begin with #.

    Args:
        path: of the table. Its columns are network, engine, megapixels_per_second, and one of dB
            for each test set.
        test_set: the column to read.

    Raises:
        UserError: if a column is missing, or a figure is no number.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for column in (*_COLUMNS, test_set):
        if rows and column not in rows[0]:
            raise UserError(f"{path} has no column {column!r}")
    network, engine, speed = _COLUMNS
    try:
        return [
            Point(row[network], row[engine], float(row[speed]), float(row[test_set]))
            for row in rows
        ]
    except (TypeError, ValueError) as error:
        raise UserError(f"{path} has a figure that is no number: {error}") from error


def draw(
    target: Path, ours: Sequence[Point], others: Sequence[Point], across: str, up: str
) -> None:
    """Draw two groups of points into a picture file, speed on a log scale, numbered by speed."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(11, 6.5), layout="constrained")
    points = sorted([*ours, *others], key=lambda point: -point.speed)
    for number, point in enumerate(points, start=1):
        style, colour = ("D", "tab:blue") if point in ours else ("o", "tab:gray")
        label = f"{number}  {point.network}, {point.engine}"
        axes.plot(point.speed, point.quality, style, color=colour, markersize=5, label=label)
        # Neighbours are often alike: their numbers stand above and below in turn.
        axes.annotate(
            str(number),
            (point.speed, point.quality),
            xytext=(0, 6 if number % 2 else -13),
            textcoords="offset points",
            ha="center",
            color=colour,
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(target, dpi=100)
    plt.close(figure)
