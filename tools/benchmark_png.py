"""PNG files of enlarged pictures beside Pillow's: their size, and the processor time they take."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Annotated, Literal

import numpy as np
import tyro
from PIL import Image

from core.command import UserError, run_command
from core.picture_files import read_rgb
from serving.catalog import Catalog
from serving.codec.formats import Compression
from serving.codec.picture import Metadata
from serving.codec.png import encode_png
from serving.engine import upscale
from serving.pixels import Pixels
from serving.strips import Strips
from srgan.sources import list_pictures

__all__ = ["PngConfig", "compare"]


@dataclass(frozen=True)
class PngConfig:
    """What to encode.

    Attributes:
        folder: of pictures.
        side: of the middle of each, which is enlarged; smaller pictures are enlarged whole.
        model: what enlarges them; empty for the default.
        pictures: at most so many, spread over the folder.
        rounds: of which the fastest counts.
        compression: that ours are written with.
    """

    folder: Annotated[Path, tyro.conf.Positional]
    side: int = 512
    model: str = ""
    pictures: int = 20
    rounds: int = 3
    compression: Literal["fast", "small"] = "fast"

    def __post_init__(self) -> None:
        for name in ("side", "pictures", "rounds"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, not {getattr(self, name)}")


def _middle(pixels: Pixels, side: int) -> Pixels:
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _ours(pixels: Pixels, compression: Compression) -> bytes:
    return b"".join(encode_png(Strips.of(pixels), Metadata(), compression))


def _pillows(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _measured(encode: Callable[[Pixels], bytes], pixels: Pixels, rounds: int) -> tuple[int, float]:
    """Return the file's bytes, and the least seconds of one core."""
    seconds = []
    for _ in range(rounds):
        started = process_time()
        file = encode(pixels)
        seconds.append(process_time() - started)
    return len(file), min(seconds)


def compare(config: PngConfig) -> bool:
    """Print both ratios for each picture, their mean and the worst.

    Raises:
        UserError: if there is no picture.
    """
    paths = list_pictures(config.folder)
    paths = paths[:: -(-len(paths) // config.pictures)]
    model = Catalog().load(config.model)
    ours = partial(_ours, compression=Compression[config.compression.upper()])
    larger, faster = [], []
    sys.stdout.write(f"{'size':>8}{'speed':>8}  over Pillow's\n")
    for path in paths:
        result = upscale(model, _middle(read_rgb(path), config.side), np.uint8)
        bytes_ours, seconds_ours = _measured(ours, result, config.rounds)
        bytes_pillows, seconds_pillows = _measured(_pillows, result, config.rounds)
        larger.append(bytes_ours / bytes_pillows)
        faster.append(seconds_pillows / seconds_ours)
        sys.stdout.write(f"{larger[-1]:>8.3f}{faster[-1]:>8.1f}  {path.name}\n")
    sys.stdout.write(f"{np.mean(larger):>8.3f}{np.mean(faster):>8.1f}  mean\n")
    sys.stdout.write(f"{max(larger):>8.3f}{min(faster):>8.1f}  worst\n")
    return True


def main() -> None:
    """Run ``python tools/benchmark_png.py``."""
    run_command(PngConfig, compare)


if __name__ == "__main__":
    main()
