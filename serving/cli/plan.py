"""Which results are to be made of which pictures; nothing is written here, nor computed."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.cli.destination import Destination
from serving.cli.errors import WrongUse
from serving.cli.inputs import Found
from serving.cli.names import comparison, is_result
from serving.codec.formats import ImageFormat

_LOSSY = (ImageFormat.JPEG, ImageFormat.WEBP)


@dataclass(frozen=True)
class Job:
    """One result to be made.

    Attributes:
        source: the picture's file; None for standard input.
        target: the result's file; None for standard output.
        comparison: where the result is shown beside a bicubic one, if it is.
    """

    source: Path | None
    target: Path | None
    comparison: Path | None = None

    @property
    def files(self) -> list[Path]:
        """What is to be written."""
        return [path for path in (self.target, self.comparison) if path]


def plan(
    pictures: Sequence[Found],
    to: Destination,
    label: str,
    format: ImageFormat | None = None,
    compare: bool = False,
) -> list[Job]:
    """The jobs for some pictures.

    Args:
        pictures: what to upscale.
        to: where results go.
        label: what tells a result from its picture where both are in one folder.
        format: of the results, unless their names tell it; None for those of the pictures.
        compare: whether comparisons are wanted.

    Raises:
        WrongUse: two results would be one file, or a result would replace a picture.
    """
    jobs = []
    for picture in pictures:
        target = to.of(picture, label, format)
        shown = comparison(target) if compare and target else None
        jobs.append(Job(picture.path, target, shown))
    _check(jobs)
    return jobs


def _check(jobs: Iterable[Job]) -> None:
    sources = {_identity(job.source) for job in jobs if job.source}
    written: dict[str, Job] = {}
    for job in jobs:
        for path in job.files:
            identity = _identity(path)
            if identity in sources:
                raise WrongUse("output", path, "another file than one of the pictures")
            if identity in written:
                both = f"{written[identity].source} and {job.source}"
                raise WrongUse("output", f"{path} for both {both}", "one result a file")
            written[identity] = job


def check_quality_counts(quality: int, jobs: Sequence[Job], streamed: ImageFormat | None) -> None:
    """Refuses a quality of results that all keep every pixel.

    Args:
        quality: what was asked for.
        jobs: the results.
        streamed: format of one on standard output; None for that of its picture, as yet unknown.

    Raises:
        WrongUse: no result is of a lossy format.
    """
    formats = {ImageFormat.of_suffix(job.target) if job.target else streamed for job in jobs}
    if formats and formats.isdisjoint((None, *_LOSSY)):
        raise WrongUse("quality", quality, "it only for results in JPEG or WebP")


def without_results(pictures: Sequence[Found]) -> tuple[list[Found], list[Found]]:
    """Parts pictures from those that are called like the results of others in the same folder.

    A pattern that is used a second time, or expanded by the shell, matches the results as well.
    """
    stems: dict[Path, set[str]] = defaultdict(set)
    for picture in pictures:
        stems[picture.path.parent].add(picture.path.stem)
    parts: tuple[list[Found], list[Found]] = ([], [])
    for picture in pictures:
        parts[is_result(picture.path.stem, stems[picture.path.parent])].append(picture)
    return parts


def _identity(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))
