"""``upscale PICTURES``: the settings, and how a call of the command goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Annotated, Literal

import tyro

from serving.checks import MOST_TILES, check_range
from serving.cli.aside import aside
from serving.cli.batch import Batch
from serving.cli.destination import STREAM, Destination, File, destination
from serving.cli.errors import WrongUse, exit_code
from serving.cli.inputs import Absent, Found, Words, check_named, find
from serving.cli.names import comparison, label
from serving.cli.plan import Job, check_quality_counts, plan, without_results
from serving.cli.report import Lines, Sentences
from serving.cli.work import Outcome, Worker
from serving.client.exchange import Choices
from serving.codec.formats import Compression, ImageFormat, check_quality
from serving.pipeline.size import SizeOptions
from serving.priority import Priority
from serving.provider import Provider
from serving.service import Service

FormatName = Literal["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp"]


@dataclass(frozen=True)
class Upscale:
    """Makes pictures larger. `upscale models` lists the models, `upscale info PICTURE` describes a
    picture and what would become of it; `./models` and `./info` are files of these names.
    `upscale --version` tells the version.

    Exits with 0 when all results are written, 2 for wrong arguments or an unusable picture, 1 for
    any other failure. A picture that fails does not keep others from being made.

    Raises:
        WrongUse: options contradict each other.
        InvalidOption: the quality is out of its range.
        InvalidConfig: so is the number of threads.
    """

    pictures: Words
    """Files, folders, patterns such as 'photos/*.jpg', or - for standard input. PNG, JPEG, WebP,
    TIFF and BMP."""

    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="FILE|FOLDER|-")] = None
    """File to write, its format told by its suffix; for several pictures a folder; - for standard
    output. By default photo_x4.jpg beside photo.jpg, photos_x4/ beside the folder photos/."""

    format: FormatName | None = None
    """Of the results, where no suffix tells it; by default that of the picture."""

    quality: int | None = None
    """1 (smallest file) to 100 (best), for JPEG and WebP; by default 95."""

    compression: Literal["fast", "small"] | None = None
    """For PNG and TIFF: small makes files about an eighth smaller, and takes much longer to write
    them; by default fast."""

    model: str = ""
    """Name of a model; empty for the default."""

    compare: bool = False
    """Also write NAME_compare.png, with the picture enlarged by bicubic interpolation beside the
    result."""

    overwrite: bool = False
    """Make anew what is there already. Otherwise, of several pictures, those are skipped whose
    results are newer; one picture alone is always made."""

    dry_run: bool = False
    """List what would be done, and do nothing."""

    json: bool = False
    """Write a JSON object a line for each picture and, at the end, for all."""

    size: SizeOptions = field(default_factory=SizeOptions)

    tile: int | None = None
    """Tiles that pictures are cut into have at most as many input pixels as a square of this side;
    only without --server."""

    threads: int | None = None
    """Processors to compute on; by default all of them; only without --server."""

    provider: Provider | None = None
    """What computes, by default cpu. All others need another package than onnxruntime, such as
    onnxruntime-gpu; only without --server."""

    priority: Literal["low", "normal", "high"] | None = None
    """How urgent this is among what others ask of the server; by default normal, and never more
    than the token allows; only with --server."""

    timeout_s: float = 600.0
    """Seconds after which a picture is given up."""

    service: Service = field(default_factory=Service)

    def __post_init__(self) -> None:
        check_named(self.pictures, "a file, a folder, a pattern or -")
        if self.output == "":
            raise WrongUse("output", "an empty word", "a file, a folder or -")
        if STREAM in self.pictures and len(self.pictures) > 1:
            raise WrongUse("image", STREAM, "no other pictures beside it")
        for name in ("json", "compare"):
            if getattr(self, name) and self._to == STREAM:
                raise WrongUse(name, "given", "an output other than standard output")
        if self.priority and not self.service.server:
            raise WrongUse("priority", "given", "it only with server")
        if self.threads is not None:
            check_range(self, "threads", 1, MOST_TILES)
        if not 0 < self.timeout_s < inf:
            raise WrongUse("timeout_s", self.timeout_s, "a number of seconds above 0")
        if self.quality is not None:
            check_quality(self.quality)

    def run(self) -> int:
        """Makes all results and tells of them; returns the exit code.

        Raises:
            ServingError: the arguments cannot be carried out.
            UpscaleFailed: the server is not there, or has no such model.
            OSError: a certificate cannot be read.
        """
        found, absent = ([], []) if self._from_stream else find(self.pictures, self._folder)
        pictures, results = without_results(found)
        known = _known(absent, results)
        report = Lines() if self.json else Sentences()
        if absent and not pictures:
            return Batch(None, report).run([], known)
        alone = self._from_stream or (len(found) == 1 and not absent and found[0].folder is None)
        to = destination(self._to, alone, self._format)
        inside = (self.model, self.tile, self.threads, self.provider)
        with self.service.connect(*inside, unlimited=True) as client:
            # Asked for first, so that a name that does not exist is one error, not one a picture.
            scale = aside(lambda stop: client.model(self.model, stop=stop)).model.scale
            jobs = self._jobs(pictures, to, label(self.size, scale))
            if self.quality is not None and (alone or self._format):
                check_quality_counts(self.quality, jobs, self._format)
            batch = Batch(
                Worker(client, self._choices(), self._format, self.timeout_s),
                report,
                redo=self.overwrite or alone,
                dry_run=self.dry_run,
            )
            return batch.run(jobs, known)

    def _jobs(self, pictures: list[Found], to: Destination, label: str) -> list[Job]:
        if isinstance(to, File) and self._from_stream:
            shown = comparison(to.path) if self.compare and to.path else None
            return [Job(None, to.path, shown)]
        return plan(pictures, to, label, self._format, self.compare)

    def _choices(self) -> Choices:
        size = self.size
        return {
            "model": self.model,
            "quality": self.quality,
            "compression": Compression[self.compression.upper()] if self.compression else None,
            "scale": size.scale,
            "width": size.width,
            "height": size.height,
            "max_width": size.max_width,
            "max_height": size.max_height,
            "priority": Priority[self.priority.upper()] if self.priority else None,
        }

    @property
    def _from_stream(self) -> bool:
        return STREAM in self.pictures

    @property
    def _to(self) -> str | None:
        return STREAM if self.output is None and self._from_stream else self.output

    @property
    def _folder(self) -> Path | None:
        """Where results go, if that is a folder; it may be within one of the pictures' own."""
        return Path(self.output) if self.output not in (None, STREAM) else None

    @property
    def _format(self) -> ImageFormat | None:
        return ImageFormat.of_suffix(Path(f"any.{self.format}"))


def _known(absent: Sequence[Absent], results: Sequence[Found]) -> list[Outcome]:
    """What becomes of names by which no picture is found, and of results of earlier calls."""
    failed = [
        Outcome(Job(Path(each.name), None), "failed", str(each.error), exit_code(each.error))
        for each in absent
    ]
    reason = "it is the result of another picture"
    return failed + [Outcome(Job(each.path, None), "skipped", reason) for each in results]
