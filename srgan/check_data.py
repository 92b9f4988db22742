"""List what is wrong with a collection: pictures not to train on, and twins that do not fit."""

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import tyro
from PIL import Image
from tqdm import tqdm

from core.command import UserError, run_command
from core.picture_files import PictureError, Pixels, read_rgb
from srgan.pairs import PictureFile, check_sizes
from srgan.sources import list_pictures, training_pictures

__all__ = ["CheckConfig", "check_data", "difference_hash", "findings"]

logger = logging.getLogger(__name__)
_SIDE = 16  # of the grid whose neighbours are compared: 256 bits a picture

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CheckConfig:
    """What to check.

    Attributes:
        data: div2k, flickr2k and folders of pictures, separated by commas.
        data_dir: where named data sets lie.
        scale: side of a picture over that of its twin, where pictures come in pairs.
        test_sets: folders of pictures that must not be trained on.
        smallest: least length of a side, in pixels.
        distance: of 256 bits, how many may differ between pictures that count as the same.
    """

    data: Annotated[str, tyro.conf.Positional]
    data_dir: Path = Path("data")
    scale: int = 4
    test_sets: tuple[Path, ...] = ()
    smallest: int = 192
    distance: int = 20

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise UserError(f"--scale must be at least 1, not {self.scale}")
        if self.smallest < 1:
            raise UserError(f"--smallest must be at least 1, not {self.smallest}")
        if not 0 <= self.distance <= 127:
            raise UserError(f"--distance must be from 0 to 127, not {self.distance}")


def difference_hash(picture: Pixels) -> Bits:
    """Return 256 bits that survive resizing, recompression and small changes of colour.

    Each bit tells whether brightness rises from one cell of a 16x17 grid to its right neighbour.

    Args:
        picture: uint8 ``[H, W, 3]``.
    """
    grey = Image.fromarray(picture).convert("L")
    grid = np.asarray(grey.resize((_SIDE + 1, _SIDE), Image.Resampling.BOX), dtype=np.int16)
    bits: Bits = (grid[:, 1:] > grid[:, :-1]).ravel()
    return bits


def _poses(picture: Pixels) -> list[Pixels]:
    """Return a picture turned by each multiple of 90 degrees, and its mirror image likewise."""
    return [np.rot90(p, turns) for p in (picture, picture[:, ::-1]) for turns in range(4)]


def _near(bits: Bits, others: Sequence[tuple[Path, Bits]], distance: int) -> Path | None:
    for path, other in others:
        if int(np.count_nonzero(bits != other)) <= distance:
            return path
    return None


def findings(
    files: Sequence[PictureFile],
    test_pictures: Sequence[Path],
    *,
    scale: int,
    smallest: int,
    distance: int,
) -> Iterator[tuple[str, Path, str]]:
    """Yield ``(kind, path, what is wrong)`` for each picture that should not be trained on.

    Kinds are ``unreadable``, ``mismatched`` (with a twin of another size than ``scale`` asks for),
    ``tiny``, ``duplicate`` (of an earlier one) and ``leaked`` (near a test picture in any of the
    eight poses that training puts pictures in).

    Raises:
        UserError: if a test picture cannot be read.
    """
    tests = []
    for path in test_pictures:
        try:
            picture = read_rgb(path)
        except PictureError as error:
            raise UserError(f"--test-sets: {error}") from error
        tests += [(path, difference_hash(pose)) for pose in _poses(picture)]
    seen: list[tuple[Path, Bits]] = []
    for file in tqdm(files, desc="checking", disable=None):
        path = file.hr
        try:
            picture = read_rgb(path)
            if file.lr is not None:
                check_sizes(file, picture.shape, read_rgb(file.lr).shape, scale)
        except PictureError as error:
            yield "unreadable", path, str(error)
            continue
        except UserError as error:
            yield "mismatched", path, str(error)
        if min(picture.shape[:2]) < smallest:
            size = f"{picture.shape[1]}x{picture.shape[0]}"
            yield "tiny", path, f"{size}, a side is shorter than {smallest}"
        bits = difference_hash(picture)
        if (match := _near(bits, tests, distance)) is not None:
            yield "leaked", path, f"looks like the test picture {match}"
        if (match := _near(bits, seen, distance)) is not None:
            yield "duplicate", path, f"looks like {match}"
        seen.append((path, bits))


def check_data(config: CheckConfig) -> bool:
    """Print a line for each finding and a count of each kind.

    Raises:
        UserError: if the data cannot be had, or a test picture cannot be read.
    """
    files = training_pictures(config.data, config.data_dir, config.scale)
    tests = [path for folder in config.test_sets for path in list_pictures(folder)]
    counts = dict.fromkeys(("unreadable", "mismatched", "tiny", "duplicate", "leaked"), 0)
    for kind, path, reason in findings(
        files,
        tests,
        scale=config.scale,
        smallest=config.smallest,
        distance=config.distance,
    ):
        counts[kind] += 1
        sys.stdout.write(f"{kind}: {path}: {reason}\n")
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    sys.stdout.write(f"{len(files)} pictures: {summary}\n")
    return True


def main() -> None:
    """Run ``python -m srgan.check_data``."""
    run_command(CheckConfig, check_data)


if __name__ == "__main__":
    main()
