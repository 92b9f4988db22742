"""The numbers of a run over its steps: a file with one JSON object a line, and its plot."""

import json
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from core.files import appearing, naming

__all__ = ["History", "plot_history", "read_history"]


def read_history(path: Path) -> list[dict[str, float]]:
    """Return the records of a history file; each has ``step`` and the values by name.

    A last line that a crash cut short is left out.
    """
    records: list[dict[str, float]] = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records


class History:
    """A sink that appends to ``history.jsonl``; a resumed run goes on where its checkpoint was."""

    def __init__(self, path: Path, step: int = 0) -> None:
        """Open ``path`` and drop what was written after ``step``."""
        kept = [r for r in read_history(path) if r["step"] <= step] if path.exists() else []
        with appearing(path) as temporary:
            temporary.write_text("".join(json.dumps(record) + "\n" for record in kept))
        self._path = path
        self._file = path.open("a")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append a record.

        Raises:
            OSError: naming the file where the disk is full.
        """
        rounded = {name: float(f"{value:.6g}") for name, value in values.items()}
        with naming(self._path):
            self._file.write(json.dumps({"step": step, **rounded}) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def plot_history(history: Path, picture: Path) -> None:
    """Draw every value of a history file against the step, one panel a player."""
    records = read_history(history)
    panels: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for record in records for name in record if name != "step"):
        panels.setdefault(name.partition("/")[0], []).append(name)
    if not panels:
        return
    figure = Figure(figsize=(9, 2.8 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (player, names) in zip(axes, panels.items(), strict=True):
        for name in names:
            points = [(r["step"], r[name]) for r in records if name in r]
            axis.plot(*zip(*points, strict=True), label=name.partition("/")[2], linewidth=1)
        axis.set_title(player, loc="left", fontsize=10)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, frameon=False)
    axes[-1].set_xlabel("step")
    with appearing(picture) as temporary:
        figure.savefig(temporary, format=picture.suffix.lstrip("."), dpi=110)
