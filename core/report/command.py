"""The command that writes a report, for whichever kind of run."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from core.command import UserError
from core.files import appearing
from core.report.page import render
from core.report.recorded import read_runs

__all__ = ["Kind", "ReportConfig", "writer"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportConfig:
    """What the page is about.

    Attributes:
        runs: folders of runs; several are compared.
        out: the page; by default report.html in the first run's folder.
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    out: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("name the folder of at least one run")
        if self.out is not None and self.out.suffix != ".html":
            raise UserError(f"--out must end in .html, not {self.out}")


@dataclass(frozen=True)
class Kind:
    """A kind of runs, whose pictures all show the same.

    Attributes:
        caption: what they show.
        setting: one that every run of this kind has, and no other.
        other: the command that is for the others.
    """

    caption: str
    setting: str
    other: str


def writer(kind: Kind) -> Callable[[ReportConfig], bool]:
    """Return the action that writes a page about runs of a kind.

    It raises a :class:`UserError` where a run is of another kind.
    """

    def write(config: ReportConfig) -> bool:
        runs = read_runs(config.runs)
        for folder, run in zip(config.runs, runs, strict=True):
            if kind.setting not in run.config:
                raise UserError(f"{folder} is a run of another kind, for python -m {kind.other}")
        page = render(runs, kind.caption)
        out = config.out or config.runs[0] / "report.html"
        with appearing(out) as temporary:
            temporary.write_text(page, encoding="utf-8")
        logger.info("wrote %s", out)
        return True

    return write
