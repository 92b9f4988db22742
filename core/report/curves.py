"""Curves as SVG pictures: a panel for each value, a line for each run."""

import io
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from core.report.recorded import Series

__all__ = ["COLORS", "panel", "thinned"]

# Okabe and Ito's palette, which most colour-blind people can tell apart.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")

_POINTS = 400


def thinned(points: Series, most: int = _POINTS) -> Series:
    """Return at most ``most`` points: means of neighbours where there are more."""
    if len(points) <= most:
        return points
    parts = np.array_split(np.asarray(points, dtype=float), most)
    return [(float(x), float(y)) for x, y in (part.mean(axis=0) for part in parts)]


def panel(lines: Mapping[int, Series]) -> str:
    """Draw lines against the step, each in the colour of its number; return SVG.

    Values that are not finite leave gaps. A line of few points shows each.
    """
    figure = Figure(figsize=(4.4, 2.3), layout="constrained")
    axis = figure.subplots()
    for number, points in lines.items():
        shown = thinned(points)
        axis.plot(
            [x for x, _ in shown],
            [y if np.isfinite(y) else np.nan for _, y in shown],
            color=COLORS[number % len(COLORS)],
            linewidth=1.3,
            marker="o" if len(shown) <= 12 else "",
            markersize=3,
        )
    axis.grid(color="#e3e6ea", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color("#9aa3ad")
    axis.tick_params(colors="#4a535d", labelsize=9, length=3)
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(5))
    return _svg(figure)


def _svg(figure: Figure) -> str:
    written = io.StringIO()
    # The same curves give the same bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()
