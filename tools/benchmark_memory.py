"""Show how much memory the upscale command takes for pictures of growing height."""

import logging
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from core.command import UserError, run_command
from serving.catalog import BUNDLED

__all__ = ["MemoryConfig", "draw", "measure", "peak_mib"]

logger = logging.getLogger(__name__)

_SMALL = 64
_OURS, _WHOLE = "this project", "whole picture"
# By way: megapixels of the result, and MiB.
Curves = dict[str, list[tuple[float, float]]]
# A process counts what its parent held when it was forked; so the parent is a small one.
_LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@dataclass(frozen=True)
class MemoryConfig:
    """What to measure.

    Attributes:
        megapixels: sizes of the pictures.
        width: of all of them.
        format: of the pictures and of the results.
        model: name of the model; empty for the default.
        whole: also measure a script that holds all of each picture (:mod:`tools.whole_image`).
        whole_up_to: megapixels of the largest picture that this script is given; it takes about
            600 MiB for each.
        plot: a file for a plot of memory against the size of the result.
    """

    megapixels: tuple[float, ...] = (3, 6, 12, 25)
    width: int = 6144
    format: Literal["jpg", "png", "tif", "webp"] = "jpg"
    model: str = ""
    whole: bool = False
    whole_up_to: float = math.inf
    plot: Path | None = None

    def __post_init__(self) -> None:
        if not self.megapixels or min(self.megapixels) <= 0:
            raise UserError("--megapixels must be positive numbers")
        if not self.whole_up_to > 0:
            raise UserError(f"--whole-up-to must be above 0, not {self.whole_up_to}")
        if self.width < 1:
            raise UserError(f"--width must be at least 1, not {self.width}")


def _write_picture(path: Path, width: int, height: int) -> None:
    """Waves with a little noise: about as hard to compress as a photograph."""
    random = np.random.default_rng(0)
    across = np.sin(np.arange(width) / 37)[None, :, None]
    down = np.sin(np.arange(height) / 23)[:, None, None] * np.array([1, 0.7, 0.4])
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, 64):
        part = pixels[top : top + 64]
        wave = 128 + 60 * across * down[top : top + 64]
        part[:] = (wave + random.normal(0, 4, part.shape)).clip(0, 255)
    Image.fromarray(pixels).save(path)


def peak_mib(command: Sequence[str]) -> float:
    """Run a command and return the most memory that it had resident at a time, in MiB.

    Raises:
        UserError: if it fails.
    """
    launched = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, *command], stdout=subprocess.PIPE, text=True, check=False
    )
    if launched.returncode != 0:
        raise UserError(f"{' '.join(command)} ended with exit code {launched.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return int(launched.stdout) * unit / 2**20


def _commands(config: MemoryConfig, source: Path, target: Path) -> dict[str, list[str]]:
    ours = [sys.executable, "-m", "serving.cli", str(source), "-o", str(target)]
    commands = {_OURS: ours + (["--model", config.model] if config.model else [])}
    if config.whole:
        files = (BUNDLED / "x4-fast.onnx", source, target)
        commands[_WHOLE] = [sys.executable, "-m", "tools.whole_image", *map(str, files)]
    return commands


def measure(config: MemoryConfig) -> bool:
    """Print by how much the peak of each picture is above that of a small one, and plot it."""
    curves: Curves = {}
    with tempfile.TemporaryDirectory() as folder:
        source, target = (Path(folder, f"{name}.{config.format}") for name in ("in", "out"))
        commands = _commands(config, source, target)
        _write_picture(source, _SMALL, _SMALL)
        small = {name: peak_mib(command) for name, command in commands.items()}
        names = "".join(f"{name:>16}" for name in commands)
        sys.stdout.write(
            f"{config.format}, {config.width} pixels wide; Python, libraries and model: "
            f"{small[_OURS]:.0f} MiB; on top of that, in MiB:\n"
            f"{'Mpx in':>8}{'Mpx out':>9}{names}\n"
        )
        for megapixels in config.megapixels:
            _write_picture(source, config.width, max(1, round(megapixels * 1e6 / config.width)))
            given = {
                name: command
                for name, command in commands.items()
                if name == _OURS or megapixels <= config.whole_up_to
            }
            more = {name: peak_mib(command) - small[name] for name, command in given.items()}
            with Image.open(target) as result:
                out = result.width * result.height / 1e6
            for name, mib in more.items():
                curves.setdefault(name, []).append((out, mib))
            figures = "".join(f"{mib:>16.0f}" for mib in more.values())
            sys.stdout.write(f"{megapixels:>8g}{out:>9.0f}{figures}\n")
            sys.stdout.flush()
    if config.plot:
        draw(config.plot, curves)
    return True


def draw(target: Path, curves: Curves) -> None:
    """Draw what each way takes against the size of its result."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
    for name, points in curves.items():
        across, up = zip(*points, strict=True)
        axes.plot(across, [mib / 1024 for mib in up], "o-", label=name)
    axes.set_xlabel("megapixels of the result")
    axes.set_ylabel("peak memory, GiB")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(target)
    plt.close(figure)


def main() -> None:
    """Run ``python tools/benchmark_memory.py``."""
    Image.MAX_IMAGE_PIXELS = None
    run_command(MemoryConfig, measure)


if __name__ == "__main__":
    main()
