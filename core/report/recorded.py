"""What a run's folder tells, read back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.history import read_history
from core.run import Run, RunError
from core.run_log import read_warnings

__all__ = ["Recorded", "Series", "Strip", "read_runs"]

Series = Sequence[tuple[float, float]]
Strip = Sequence[tuple[int, Path]]


@dataclass(frozen=True)
class Recorded:
    """A run as its folder has it.

    Attributes:
        name: tells it from the others on the page.
        config: its settings.
        environment: what it ran on and with; empty where that was not recorded.
        series: steps and values, by the value's name.
        samples: strips of pictures made on the way, by what they show: a set's name, or nothing for
            those of the run's own. Each has the step and the file, in order.
        warnings: time and text.
    """

    name: str
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    series: Mapping[str, Series]
    samples: Mapping[str, Strip]
    warnings: Sequence[tuple[str, str]]

    @property
    def steps(self) -> int:
        """The last step that left a trace."""
        last = [int(points[-1][0]) for points in self.series.values()]
        seen = [strip[-1][0] for strip in self.samples.values()]
        return max([*last, *seen], default=0)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise RunError(f"{path} was not written by a run")
    return value


def _series(history: Path) -> dict[str, list[tuple[float, float]]]:
    series: dict[str, list[tuple[float, float]]] = {}
    for record in read_history(history) if history.exists() else []:
        for name, value in record.items():
            if name != "step":
                series.setdefault(name, []).append((record["step"], value))
    return series


def _samples(folder: Path) -> dict[str, Strip]:
    """The run's own strip, then one for each set that it was validated on; none that is empty."""
    sets = sorted(path for path in folder.rglob("*") if path.is_dir())  # one/Set5, two/Set5
    names = [path.relative_to(folder).as_posix() for path in sets]
    strips: dict[str, Strip] = {}
    for name, place in [("", folder), *zip(names, sets, strict=True)]:
        files = [(int(p.stem), p) for p in place.glob("*.png") if p.stem.isdecimal()]
        if files:
            strips[name] = sorted(files)
    return strips


def _read(folder: Path, name: str) -> Recorded:
    if not (folder / "config.json").exists():
        raise RunError(f"{folder} holds no run: it has no config.json")
    run = Run(folder, _json(folder / "config.json"))
    environment = folder / "environment.json"
    return Recorded(
        name,
        run.config,
        _json(environment) if environment.exists() else {},
        _series(run.history),
        _samples(run.samples),
        read_warnings(run.log),
    )


def read_runs(folders: Sequence[Path]) -> list[Recorded]:
    """Read the runs, each named by its folder, or by its whole path where folders share a name.

    Raises:
        RunError: if a folder holds no run, or a file of it is broken.
    """
    short = [folder.resolve().name for folder in folders]
    names = short if len(set(short)) == len(short) else [str(folder) for folder in folders]
    return [_read(folder, name) for folder, name in zip(folders, names, strict=True)]
