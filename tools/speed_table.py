"""Prints how fast networks were on engines, one row each.

``Gop/s`` counts two operations a multiply-add of the network, whatever the engine did.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import onnx

from serving.processor import processor_name
from srgan.community import is_community
from srgan.generators import GeneratorSpec, load_generator

__all__ = ["Timing", "write_head", "write_rows"]

# Processors that others may use before a figure is doubtful.
_DISTURBED = 0.1


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


def write_head(threads: int, runs: int) -> None:
    """Print what the columns are."""
    sys.stdout.write(
        f"{threads} threads of {processor_name()}, medians of {runs} runs\n"
        f"{'picture':<11}{'way':<8}{'model':<21}{'engine':<12}{'ms':>8}{'ratio':>7}{'Mpx/s':>8}"
        f"{'Gop/s':>7}{'busy':>6}{'others':>8}\n"
    )


def write_rows(timings: Sequence[Timing], size: tuple[int, int], files: bool) -> None:
    """Print a row for each engine, with its ratio to the first one.

    Args:
        timings: of one picture, by one way.
        size: of the picture, width and height.
        files: whether it was from file to file.
    """
    for each in timings:
        macs = _macs(each.file)
        operations = 2 * macs * size[0] * size[1] if macs else 0
        speed = f"{operations / each.seconds / 1e9:.0f}" if macs else "-"
        doubtful = " (disturbed)" if each.others > _DISTURBED else ""
        sys.stdout.write(
            f"{'{}x{}'.format(*size):<11}{'files' if files else 'pixels':<8}"
            f"{each.file.name:<20} {each.engine:<11} {1e3 * each.seconds:>8.1f}"
            f"{each.seconds / timings[0].seconds:>7.2f}{each.megapixels_per_second:>8.2f}"
            f"{speed:>7}{each.used:>6.2f}{each.others:>8.2f}{doubtful}\n"
        )
    sys.stdout.flush()


def _macs(file: Path) -> int | None:
    """Multiply-adds for each input pixel, where the file says that it is a generator of ours."""
    if file.suffix == ".onnx":
        properties = onnx.load(file).metadata_props
        metadata = {each.key: each.value for each in properties}
        try:
            structure = json.loads(metadata.get("architecture", "{}"))
        except ValueError:  # another project's
            return None
        if structure.keys() != {each.name for each in fields(GeneratorSpec)}:
            return None
        return GeneratorSpec(**structure).build().macs_per_lr_pixel
    if file.suffix == ".param" or is_community(file):
        return None
    return load_generator(file)[0].macs_per_lr_pixel
