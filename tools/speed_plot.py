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
    """Draw two groups of points with their names into a picture file, speed on a log scale."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    for points, style, colour in ((others, "o", "tab:gray"), (ours, "D", "tab:blue")):
        for point in points:
            axes.plot(point.speed, point.quality, style, color=colour, markersize=5)
            axes.annotate(
                f"{point.network}, {point.engine}",
                (point.speed, point.quality),
                xytext=(5, 4),
                textcoords="offset points",
                color=colour,
                fontsize=7,
            )
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3)
    figure.savefig(target, dpi=120)
    plt.close(figure)
