"""Time this project's models and engine against others: interleaved runs, medians, ratios."""

import logging
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from PIL import Image

import serving
import srgan
from core.command import UserError, run_command
from core.files import check_place
from core.picture_files import read_rgb
from serving.processor import available_processors, processor_name
from srgan.evaluation.scores import mean_psnr_y
from srgan.upscalers import open_upscaler
from tools.engines import NEEDS, Engine, Run, installed
from tools.speed_plot import Point, draw, read_rivals
from tools.speed_table import Timing, write_head, write_rows

__all__ = ["BenchmarkConfig", "benchmark", "square_picture", "time_engines"]

logger = logging.getLogger(__name__)

_BUNDLED = Path(serving.__file__).parent / "models"
_WEIGHTS = Path(srgan.__file__).parent / "weights"
_PLOTS = (".png", ".svg", ".pdf")
_PICTURE = Path(__file__).parent.parent / "examples" / "cat.png"
# What runs which files; torch runs all others.
_READERS = {".onnx": ("ours", "onnxruntime", "openvino", "ncnn"), ".param": ("ncnn",)}


@dataclass(frozen=True)
class BenchmarkConfig:
    """What to time.

    Attributes:
        models: networks: .onnx files, for torch checkpoints, ours or another project's, and for
            ncnn its own .param files; the first one is the reference.
        engines: which of ours, onnxruntime (a bare session on the whole picture), openvino, ncnn,
            torch and torch-bf16 to run them with; those that are not installed are left out.
        sizes: sides of the square pictures.
        picture: an image file that is timed as it is, instead of squares.
        files: only from file to file: with reading the picture from PNG or its own format, and
            writing PNG; by default both ways are timed.
        pixels: only from pixels to pixels.
        threads: of each engine.
        runs: counted runs of each; one more goes before.
        plot: a file for a plot of quality against speed, one point a row; of several pictures the
            last one's, from pixels to pixels unless only files are timed.
        quality: the folder that the plot's quality is measured on, as for srgan.evaluate.
        rivals: a table of networks measured elsewhere that are drawn beside, like
            docs/figures/rivals.csv.
    """

    models: Annotated[tuple[Path, ...], tyro.conf.Positional] = (
        _BUNDLED / "x4-fast.onnx",
        _BUNDLED / "x4-fast-int8.onnx",
        _WEIGHTS / "x4-fast.safetensors",
    )
    engines: tuple[str, ...] = tuple(NEEDS)
    sizes: tuple[int, ...] = (128, 256, 512)
    picture: Path | None = None
    files: bool = False
    pixels: bool = False
    threads: int = available_processors()
    runs: int = 7
    plot: Path | None = None
    quality: Path | None = None
    rivals: Path | None = None

    def __post_init__(self) -> None:
        for name in ("threads", "runs"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, not {getattr(self, name)}")
        if not self.sizes or min(self.sizes) < 1:
            raise UserError("--sizes must be at least 1")
        if unknown := set(self.engines) - set(NEEDS):
            raise UserError(f"--engines must be some of {', '.join(NEEDS)}, not {unknown.pop()}")
        for path in (*self.models, *filter(None, [self.picture, self.rivals])):
            if not path.is_file():
                raise UserError(f"there is no file {path}")
        if (self.plot is None) != (self.quality is None):
            raise UserError("--plot and --quality go together")
        if self.files and self.pixels:
            raise UserError("--files and --pixels exclude each other; without them both are timed")
        if self.plot and self.plot.suffix not in _PLOTS:
            raise UserError(f"--plot must end in {', '.join(_PLOTS)}, not {self.plot.name!r}")

    @property
    def ways(self) -> tuple[bool, ...]:
        """Whether files are read and written, for each way that is timed."""
        return (False,) * (not self.files) + (True,) * (not self.pixels)


def time_engines(
    pairs: Sequence[tuple[str, Path]],
    picture: Path,
    threads: int,
    runs: int,
    files: bool = False,
) -> list[Timing]:
    """Run each engine on its file in turn, run by run, all in processes of their own.

    Raises:
        UserError: if one of them cannot run its file.
    """
    with ExitStack() as stack:
        try:
            engines = [
                stack.enter_context(Engine(name, file, threads, picture, files))
                for name, file in pairs
            ]
            taken: list[list[Run]] = [[] for _ in engines]
            for _ in range(runs):
                for engine, results in zip(engines, taken, strict=True):
                    results.append(engine.run())
        except RuntimeError as error:
            raise UserError(str(error)) from error
    return [
        Timing(
            engine.name,
            engine.file,
            engine.output_pixels,
            *(
                statistics.median(getattr(run, name) for run in results)
                for name in ("seconds", "used", "others")
            ),
        )
        for engine, results in zip(engines, taken, strict=True)
    ]


def _pairs(config: BenchmarkConfig) -> list[tuple[str, Path]]:
    """Which engine runs which file."""
    engines = [name for name in config.engines if installed(name)]
    if missing := {NEEDS[name] for name in config.engines if name not in engines}:
        logger.warning("not installed: %s", ", ".join(sorted(missing)))
    found = []
    for file in config.models:
        readers = _READERS.get(file.suffix, ("torch", "torch-bf16"))
        for name in engines:
            if name not in readers:
                continue
            if file.stem.endswith("-int8") and name in ("openvino", "ncnn"):
                continue
            found.append((name, file))
    if not found:
        raise UserError("none of the engines runs any of the models")
    return found


def _scores(files: set[Path], quality: Path) -> dict[Path, float]:
    """Return PSNR-Y on a set; not of ncnn's own files, which only ncnn can read."""
    return {
        file: mean_psnr_y(open_upscaler(str(file), 1), quality)  # it knows its own scale
        for file in files
        if file.suffix != ".param"
    }


def _draw(timings: Sequence[Timing], scores: Mapping[Path, float], config: BenchmarkConfig) -> None:
    """Plot quality against speed, of what has a score."""
    assert config.quality is not None
    assert config.plot is not None
    points = [
        Point(
            each.file.stem,
            each.engine,
            each.megapixels_per_second,
            scores[each.file],
        )
        for each in timings
        if each.file in scores
    ]
    draw(
        config.plot,
        points,
        read_rivals(config.rivals, config.quality.name) if config.rivals else [],
        f"output megapixels a second, {config.threads} threads of {processor_name()}",
        f"PSNR-Y on {config.quality.name}, dB",
    )


def benchmark(config: BenchmarkConfig) -> bool:
    """Time the engines on each picture by each way, and print one table of medians and ratios."""
    pairs = _pairs(config)
    scores: dict[Path, float] = {}
    if config.plot and config.quality:  # first: what stands in its way costs no timing
        check_place(config.plot)
        scores = _scores({file for _, file in pairs}, config.quality)
    drawn: list[Timing] = []
    with tempfile.TemporaryDirectory() as folder:
        pictures = [config.picture] if config.picture else [
            square_picture(Path(folder), side) for side in config.sizes
        ]  # fmt: skip
        shapes = [read_rgb(picture).shape for picture in pictures]
        write_head(config.threads, config.runs)
        for picture, (height, width, _) in zip(pictures, shapes, strict=True):
            for files in config.ways:
                timings = time_engines(pairs, picture, config.threads, config.runs, files)
                write_rows(timings, (width, height), files)
                if files == config.files:
                    drawn = timings
    if config.plot:
        _draw(drawn, scores, config)
    return True


def square_picture(folder: Path, side: int) -> Path:
    """Write the example that this project ships as a square PNG of this side; return its path."""
    path = folder / f"{side}.png"
    with Image.open(_PICTURE) as picture:
        picture.convert("RGB").resize((side, side)).save(path)
    return path


def main() -> None:
    """Run ``python -m tools.benchmark``."""
    run_command(BenchmarkConfig, benchmark)


if __name__ == "__main__":
    main()
