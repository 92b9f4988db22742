"""Time this project's models and engine against others: interleaved runs, medians, ratios."""

import json
import logging
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import onnx
import tyro
from PIL import Image

import serving
import srgan
from core.command import UserError, run_command
from serving.processor import available_processors, processor_name
from srgan.community import is_community
from srgan.evaluation.scores import mean_psnr_y
from srgan.generators import GeneratorSpec, load_generator
from srgan.upscalers import open_upscaler
from tools.engines import NEEDS, Engine, Run, installed
from tools.speed_plot import Point, draw, read_rivals

__all__ = ["BenchmarkConfig", "Timing", "benchmark", "time_engines"]

logger = logging.getLogger(__name__)

_BUNDLED = Path(serving.__file__).parent / "models"
_WEIGHTS = Path(srgan.__file__).parent / "weights"
_PICTURE = Path(__file__).parent.parent / "examples" / "cat.png"
# What runs which files; torch runs all others.
_READERS = {".onnx": ("ours", "onnxruntime", "openvino", "ncnn"), ".param": ("ncnn",)}
# Processors that others may use before a figure is doubtful.
_DISTURBED = 0.1


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
        files: include reading the picture from PNG or its own format, and writing PNG.
        threads: of each engine.
        runs: counted runs of each; one more goes before.
        plot: a file for a plot of quality against speed, one point a row.
        quality: the folder that the plot's quality is measured on, as for srgan.evaluate.
        rivals: a table of networks measured elsewhere that are drawn beside, like
            docs/figures/rivals.csv.
    """

    models: Annotated[tuple[Path, ...], tyro.conf.Positional] = (
        _BUNDLED / "x4-fast.onnx",
        _BUNDLED / "x4-fast-int8.onnx",
        _WEIGHTS / "x4-fast.safetensors",
    )
    engines: tuple[str, ...] = ("ours", "openvino", "ncnn", "torch", "torch-bf16")
    sizes: tuple[int, ...] = (256,)
    picture: Path | None = None
    files: bool = False
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


@dataclass(frozen=True)
class Timing:
    """What an engine took for a network: medians of its runs.

    Attributes:
        engine: its name.
        file: the network.
        output_pixels: of the result.
        seconds: from start to end.
        used: processors that the engine kept busy.
        others: processors that other processes kept busy meanwhile.
    """

    engine: str
    file: Path
    output_pixels: int
    seconds: float
    used: float
    others: float

    @property
    def megapixels_per_second(self) -> float:
        """Of the result."""
        return self.output_pixels / self.seconds / 1e6


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
    found = []
    for file in config.models:
        readers = _READERS.get(file.suffix, ("torch", "torch-bf16"))
        for name in config.engines:
            if not installed(name):
                logger.warning("%s is not installed", NEEDS[name])
                continue
            if name not in readers:
                continue
            if file.stem.endswith("-int8") and name in ("openvino", "ncnn"):
                continue
            found.append((name, file))
    if not found:
        raise UserError("none of the engines runs any of the models")
    return found


def _macs(file: Path) -> int | None:
    """Multiply-adds for each input pixel, where the file says that it is a generator of ours."""
    if file.suffix == ".onnx":
        properties = onnx.load(file).metadata_props
        metadata = {each.key: each.value for each in properties}
        structure = json.loads(metadata.get("architecture", "{}"))
        if structure.keys() != {each.name for each in fields(GeneratorSpec)}:
            return None
        return GeneratorSpec(**structure).build().macs_per_lr_pixel
    if file.suffix == ".param" or is_community(file):
        return None
    return load_generator(file)[0].macs_per_lr_pixel


def _table(timings: Sequence[Timing], pixels: int, title: str) -> None:
    sys.stdout.write(
        f"{title}\n{'model':<24}{'engine':<14}{'ms':>9}{'ratio':>8}{'Mpx/s':>8}{'Gop/s':>8}"
        f"{'busy':>7}{'others':>8}\n"
    )
    for each in timings:
        macs = _macs(each.file)
        speed = f"{2 * macs * pixels / each.seconds / 1e9:.0f}" if macs else "-"
        doubtful = " (disturbed)" if each.others > _DISTURBED else ""
        sys.stdout.write(
            f"{each.file.name:<24}{each.engine:<14}{1e3 * each.seconds:>9.1f}"
            f"{each.seconds / timings[0].seconds:>8.2f}"
            f"{each.megapixels_per_second:>8.2f}{speed:>8}"
            f"{each.used:>7.2f}{each.others:>8.2f}{doubtful}\n"
        )
    sys.stdout.flush()


def _draw(timings: Sequence[Timing], config: BenchmarkConfig) -> None:
    """Plot quality against speed; not of ncnn's own files, which only ncnn can read."""
    assert config.quality is not None
    assert config.plot is not None
    drawn = [each for each in timings if each.file.suffix != ".param"]
    scores = {
        file: mean_psnr_y(open_upscaler(str(file), 1), config.quality)  # it knows its own scale
        for file in {each.file for each in drawn}
    }
    points = [
        Point(
            each.file.stem,
            each.engine,
            each.megapixels_per_second,
            scores[each.file],
        )
        for each in drawn
    ]
    draw(
        config.plot,
        points,
        read_rivals(config.rivals, config.quality.name) if config.rivals else [],
        f"output megapixels a second, {config.threads} threads of {processor_name()}",
        f"PSNR-Y on {config.quality.name}, dB",
    )


def benchmark(config: BenchmarkConfig) -> bool:
    """Time the engines on each picture, and print medians and ratios to the first.

    ``Gop/s`` counts two operations a multiply-add of the network, whatever the engine did.
    """
    pairs = _pairs(config)
    way = "file to file" if config.files else "pixels to pixels"
    with tempfile.TemporaryDirectory() as folder:
        for side in (0,) if config.picture else config.sizes:
            picture = config.picture or _square(Path(folder), side)
            with Image.open(picture) as opened:
                width, height = opened.size
            timings = time_engines(pairs, picture, config.threads, config.runs, config.files)
            title = f"{width}x{height}, {way}, {config.threads} threads of {processor_name()}"
            _table(timings, width * height, title)
    if config.plot:
        _draw(timings, config)
    return True


def _square(folder: Path, side: int) -> Path:
    path = folder / f"{side}.png"
    with Image.open(_PICTURE) as picture:
        picture.convert("RGB").resize((side, side)).save(path)
    return path


def main() -> None:
    """Run ``python -m tools.benchmark``."""
    run_command(BenchmarkConfig, benchmark)


if __name__ == "__main__":
    main()
