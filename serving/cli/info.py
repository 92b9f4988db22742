"""``upscale info``: what pictures are, and what would become of them."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from serving.cli.aside import aside
from serving.cli.errors import OK, exit_code, sentence, worst
from serving.cli.inputs import Words, check_named, find
from serving.errors import ServingError
from serving.pipeline.size import SizeOptions
from serving.service import Service

if TYPE_CHECKING:
    from serving.cli.describe import Description, Prospect


@dataclass(frozen=True)
class Info:
    """Tells what pictures are (size, kind of pixels, colour profile) and what each model would
    make of them. Only headers are read: damage behind them is not seen.

    Raises:
        WrongUse: no picture is named.
    """

    pictures: Words
    """Files, folders, or patterns such as 'photos/*.jpg'."""

    json: bool = False
    """Write a JSON object a line for each picture."""

    size: SizeOptions = field(default_factory=SizeOptions)

    service: Service = field(default_factory=Service)

    def __post_init__(self) -> None:
        check_named(self.pictures, "a file, a folder or a pattern")

    def run(self) -> int:
        """Describes all pictures; returns the exit code of the worst failure.

        Raises:
            ServingError: as :meth:`~serving.service.Service.connect`.
            UpscaleFailed: the server is not there.
        """
        found, absent = find(self.pictures)
        codes = [self._failed(each.name, each.error) for each in absent]
        if found:
            codes += self._described([each.path for each in found])
        return worst(codes)

    def _described(self, paths: Sequence[Path]) -> Iterator[int]:
        """Describes pictures; gives an exit code for each."""
        # Imported here because it needs all that decodes pictures.
        from serving.cli.describe import describe, prospect

        with self.service.connect() as client:
            models = aside(lambda stop: client.models(stop=stop)).models
        show = _as_json if self.json else _as_text
        for path in paths:
            try:
                picture = describe(path.read_bytes())
            except (ServingError, OSError) as error:
                yield self._failed(str(path), error)
                continue
            prospects = {model.name: prospect(picture, model.scale, self.size) for model in models}
            sys.stdout.write(show(path, picture, prospects))
            yield OK

    def _failed(self, name: str, error: ServingError | OSError) -> int:
        """Tells of what cannot be described; returns the exit code."""
        reason = sentence(error)
        if self.json:
            line = json.dumps({"source": name, "status": "failed", "reason": reason})
            sys.stdout.write(f"{line}\n")
        else:
            sys.stderr.write(f"upscale: error: {name}: {reason}\n")
        return exit_code(error)


def _as_json(path: Path, picture: "Description", prospects: "dict[str, Prospect]") -> str:
    title = picture.format.value.title
    results = {
        name: {key: value for key, value in asdict(result).items() if value}
        for name, result in prospects.items()
    }
    return (
        json.dumps({"source": str(path), **asdict(picture), "format": title, "results": results})
        + "\n"
    )


def _as_text(path: Path, picture: "Description", prospects: "dict[str, Prospect]") -> str:
    pixels = picture.width * picture.height / 1e6
    turned = "" if picture.orientation == 1 else f", turned as EXIF says ({picture.orientation})"
    rows = [
        ("file", f"{picture.format.value.title}, {picture.bytes / 1024:.0f} KiB"),
        ("size", f"{picture.width}x{picture.height}, {pixels:.1f} megapixels{turned}"),
        ("pixels", f"{picture.mode}, {picture.bit_depth} bits a sample"),
        ("profile", picture.profile or "none"),
    ]
    if picture.dpi:
        rows.append(("density", f"{picture.dpi[0]:g}x{picture.dpi[1]:g} dpi"))
    if picture.exif:
        rows.append(("EXIF", "yes, goes into the result"))
    if picture.frames > 1:
        rows.append(("frames", f"{picture.frames}, of which the first is used"))
    rows += [(name, _made(result)) for name, result in prospects.items()]
    width = max(len(name) for name, _ in rows)
    return f"{path}\n" + "".join(f"  {name:<{width}}  {text}\n" for name, text in rows)


def _made(result: "Prospect") -> str:
    if result.refused:
        return result.refused
    megapixels = result.width * result.height / 1e6
    return f"{result.width}x{result.height}, {megapixels:.1f} megapixels, {result.bit_depth} bits"
