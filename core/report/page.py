"""The page: one HTML file that needs nothing beside it."""

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from core.report.curves import COLORS, panel
from core.report.recorded import Recorded
from core.run import RunError

__all__ = ["Row", "picture_uri", "render", "rows", "spaced"]

Item = TypeVar("Item")

_SHOWN = 8  # pictures of a strip
# What says how good a run is goes before what it was made of.
_LAST = ("generator", "discriminator", "time")


class Row(NamedTuple):
    """A line of a table: a name, a cell for each run, and whether the cells differ."""

    name: str
    cells: Sequence[str]
    differs: bool


def _text(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def rows(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return a table's lines, a column for each mapping; those that differ come first."""
    names = dict.fromkeys(name for column in columns for name in column)
    table = []
    for name in names:
        cells = [_text(column[name]) if name in column else "" for column in columns]
        table.append(Row(name, cells, len(set(cells)) > 1))
    return sorted(table, key=lambda row: not row.differs)


def spaced(items: Sequence[Item], most: int = _SHOWN) -> list[Item]:
    """Return at most ``most`` items, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(index * (len(items) - 1) / (most - 1))] for index in range(most)]


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def picture_uri(path: Path) -> str:
    """Return a PNG file as a data URI, as WebP where that is smaller.

    Raises:
        RunError: if it is broken.
    """
    content, smaller = path.read_bytes(), io.BytesIO()
    try:
        with Image.open(path) as picture:
            picture.save(smaller, "WEBP", quality=90)
    except (OSError, SyntaxError) as error:
        raise RunError(f"{path} cannot be read as a picture: {error}") from error
    if len(smaller.getvalue()) < len(content):
        return _uri("webp", smaller.getvalue())
    return _uri("png", content)


def _place(name: str) -> int:
    group = name.partition("/")[0]
    return _LAST.index(group) + 1 if group in _LAST else 0


def _curves(runs: Sequence[Recorded]) -> dict[str, list[tuple[str, str]]]:
    """Return by group the names of its values, each with its panel."""
    names = dict.fromkeys(name for run in runs for name in run.series)
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(names, key=_place):
        lines = {n: run.series[name] for n, run in enumerate(runs) if name in run.series}
        group, _, value = name.partition("/")
        svg = panel(lines).encode()
        groups.setdefault(group, []).append((value or group, _uri("svg+xml", svg)))
    return groups


def _last(runs: Iterable[Recorded]) -> list[dict[str, Any]]:
    return [
        {"step": run.steps} | {n: run.series[n][-1][1] for n in sorted(run.series, key=_place)}
        for run in runs
    ]


def _machine(run: Recorded) -> dict[str, Any]:
    return {name: value for name, value in run.environment.items() if name != "packages"}


def render(runs: Sequence[Recorded], caption: str) -> str:
    """Return the page about ``runs``; ``caption`` says what their pictures show."""
    templates = Environment(
        loader=PackageLoader("core.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    pictures = [
        {
            name: [(step, picture_uri(path)) for step, path in spaced(strip)]
            for name, strip in run.samples.items()
        }
        for run in runs
    ]
    return templates.get_template("page.html.j2").render(
        runs=runs,
        colors=[COLORS[number % len(COLORS)] for number in range(len(runs))],
        curves=_curves(runs),
        last=rows(_last(runs)),
        settings=rows([run.config for run in runs]),
        machine=rows([_machine(run) for run in runs]),
        packages=rows([run.environment.get("packages", {}) for run in runs]),
        pictures=pictures,
        caption=caption,
    )
