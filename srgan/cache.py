"""Decoded pictures and their low-resolution twins, memory-mapped: training never decodes."""

import hashlib
import json
import logging
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from core.command import UserError
from core.files import appearing_folder, locked
from core.parallel import parallel_map
from core.picture_files import PictureError, Pixels, read_rgb, require_sides
from srgan.pairs import PictureFile, check_sizes
from srgan.resize import imresize_uint8

__all__ = ["PairCache", "open_cache", "read_pair"]

logger = logging.getLogger(__name__)
_LAYOUT = 2  # raised whenever the files' layout or the degradation changes


@dataclass(frozen=True)
class PairCache:
    """Aligned low- and high-resolution pictures, the pixels of all in one array, row by row.

    Attributes:
        scale: side of a high-resolution picture over that of its twin.
        lr_shapes: height and width of each low-resolution picture.
        firsts: where each low-resolution picture begins in ``lr_pixels``; its picture begins
            ``scale**2`` times as far in ``hr_pixels``. There may be others in between.
        hr_pixels: uint8 ``[pixels, 3]``, mapped from disk.
        lr_pixels: the same of their twins.
        files: that the pictures were decoded from; none where that is not told.
    """

    scale: int
    lr_shapes: Sequence[tuple[int, int]]
    firsts: Sequence[int]
    hr_pixels: Pixels
    lr_pixels: Pixels
    files: Sequence[PictureFile] = ()

    @classmethod
    def of(cls, scale: int, hr: Sequence[Pixels], lr: Sequence[Pixels]) -> "PairCache":
        """Gather pictures, uint8 ``[scale * H, scale * W, 3]``, and twins, ``[H, W, 3]``."""
        shapes = [(picture.shape[0], picture.shape[1]) for picture in lr]
        large, small = (np.concatenate([p.reshape(-1, 3) for p in part]) for part in (hr, lr))
        return cls(scale, shapes, _firsts(shapes), large, small)

    def chosen(self, places: Sequence[int]) -> "PairCache":
        """Return the pictures of these places alone, on the same pixels."""
        return replace(
            self,
            lr_shapes=[self.lr_shapes[place] for place in places],
            firsts=[self.firsts[place] for place in places],
            files=[self.files[place] for place in places] if self.files else (),
        )

    @property
    def hr(self) -> list[Pixels]:
        """Views of the pictures: uint8 ``[scale * H, scale * W, 3]`` each."""
        return self._split(self.hr_pixels, self.scale)

    @property
    def lr(self) -> list[Pixels]:
        """Views of their twins: uint8 ``[H, W, 3]`` each."""
        return self._split(self.lr_pixels, 1)

    def _split(self, pixels: Pixels, scale: int) -> list[Pixels]:
        return [
            pixels[first * scale**2 :][: height * width * scale**2].reshape(
                height * scale, width * scale, 3
            )
            for first, (height, width) in zip(self.firsts, self.lr_shapes, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.lr_shapes)


def _firsts(shapes: Sequence[tuple[int, int]]) -> list[int]:
    return [0, *accumulate(height * width for height, width in shapes)][:-1]


def _identity(path: Path) -> tuple[str, int, int]:
    return str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns


def _fingerprint(files: Sequence[PictureFile], scale: int) -> str:
    content = [
        (_identity(file.hr), None if file.lr is None else _identity(file.lr), file.size)
        for file in files
    ]
    return hashlib.sha256(json.dumps([_LAYOUT, scale, content]).encode()).hexdigest()[:16]


def read_pair(file: PictureFile, scale: int) -> tuple[Pixels, Pixels]:
    """Decode a picture and its twin, which is made with MATLAB's bicubic where it has none.

    So is a picture that is to be reduced.

    Returns:
        uint8 ``[scale * H, scale * W, 3]``, what is left over at the right and at the bottom cut
        off, and uint8 ``[H, W, 3]``.

    Raises:
        PictureError: if a file is not a picture that can be read in full, or so small that its twin
            has no pixel.
        UserError: if a twin is not of the size that goes with its picture.
    """
    picture = read_rgb(file.hr)
    if file.size != 1:
        picture = _reduced(picture, file.size)
    require_sides(file.hr, picture, scale)
    height, width = (side // scale for side in picture.shape[:2])
    hr = picture[: height * scale, : width * scale]
    if file.lr is None:
        return hr, _reduced(hr, 1 / scale)
    lr = read_rgb(file.lr)
    check_sizes(file, picture.shape, lr.shape, scale)
    return hr, lr


def _reduced(picture: Pixels, size: float) -> Pixels:
    return imresize_uint8(torch.from_numpy(picture).permute(2, 0, 1), size).permute(1, 2, 0).numpy()


def _write(folder: Path, files: Sequence[PictureFile], scale: int) -> None:
    shapes: list[tuple[int, int] | None] = []  # none where a file cannot be read

    def load(file: PictureFile) -> tuple[Pixels, Pixels] | None:
        try:
            return read_pair(file, scale)
        except PictureError as error:
            if file.size == 1:  # once is enough
                logger.warning("left out: %s", error)
            return None

    with (
        (folder / "hr.bin").open("wb") as hr_file,
        (folder / "lr.bin").open("wb") as lr_file,
        parallel_map(load, files) as pairs,
    ):
        for pair in tqdm(pairs, total=len(files), desc="decoding", disable=None):
            if pair is None:
                shapes.append(None)
                continue
            hr_file.write(np.ascontiguousarray(pair[0]).data)
            lr_file.write(np.ascontiguousarray(pair[1]).data)
            shapes.append((pair[1].shape[0], pair[1].shape[1]))
    (folder / "index.json").write_text(json.dumps({"scale": scale, "lr_shapes": shapes}))


def _is_whole(folder: Path, scale: int) -> bool:
    """Tell whether a cache is there with all of the pixels that its index tells of."""
    try:
        shapes = json.loads((folder / "index.json").read_text())["lr_shapes"]
        sizes = [(folder / name).stat().st_size for name in ("hr.bin", "lr.bin")]
    except (FileNotFoundError, ValueError):
        return False
    pixels = sum(shape[0] * shape[1] for shape in shapes if shape)
    return sizes == [3 * scale**2 * pixels, 3 * pixels]


def _mapped(file: Path) -> Pixels:
    # Copy on write: nobody writes, but torch asks for memory that could be written to.
    pixels: Any = np.memmap(file, dtype=np.uint8, mode="c")
    flat: Pixels = pixels.reshape(-1, 3)
    return flat


def open_cache(
    cache_dir: Path,
    files: Sequence[PictureFile],
    scale: int,
    smallest_side: int = 1,
    wanted: Sequence[PictureFile] | None = None,
) -> PairCache:
    """Open the decoded pairs of ``files``, decoding them first if that was not done before.

    Pairs are as :func:`read_pair` reads them. The cache is renewed when a file's path, size or
    time changes, or where it was damaged. Whatever is wanted of the same files, they are decoded
    and kept once.

    Args:
        cache_dir: where caches live; one folder is made in it for each distinct ``files``.
        files: pictures in any format that Pillow reads.
        scale: reduction of each side.
        smallest_side: low-resolution pictures with a shorter side are left out, with a warning.
        wanted: those of ``files`` to open, in this order; all of them where it is not given.

    Raises:
        UserError: if no picture remains, or none at one of the sizes that they are reduced to, or a
            twin is of the wrong size.
        OSError: naming the cache where the disk is full.
    """
    folder = cache_dir / _fingerprint(files, scale)
    known = _is_whole(folder, scale)
    if not known:
        with locked(cache_dir):
            if not _is_whole(folder, scale):  # nor was made so while this process waited
                shutil.rmtree(folder, ignore_errors=True)
                with appearing_folder(folder) as unfinished:
                    _write(unfinished, files, scale)
    kept = json.loads((folder / "index.json").read_text())["lr_shapes"]
    shapes = [(height, width) for height, width in (shape or (0, 0) for shape in kept)]
    places = {file: place for place, file in enumerate(files)}
    asked = files if wanted is None else wanted
    large_enough = []
    for file in asked:
        place = places[file]
        if min(shapes[place]) >= smallest_side:
            large_enough.append(place)
        elif file.size == 1 and kept[place]:
            logger.warning("left out: %s is smaller than one training patch", file.hr)
        elif file.size == 1 and known:  # otherwise it was said in decoding
            logger.warning(
                "left out: %s could not be used; if that is mended, remove %s", file.hr, folder
            )
    least = smallest_side * scale
    if not large_enough:
        raise UserError(
            f"none of the {len(asked)} files is a picture of at least {least} pixels a side"
        )
    usable = Counter(files[place].size for place in large_enough)
    for size, count in Counter(file.size for file in asked if file.size != 1).items():
        if not usable[size]:
            raise UserError(
                f"none of {count} pictures at {size:g} of its size has {least} pixels a side, "
                "which a training patch takes"
            )
        if usable[size] < count:
            logger.warning(
                "at %g of their size %d of %d pictures are smaller than one training patch, and "
                "left out", size, count - usable[size], count,
            )  # fmt: skip
    hr, lr = (_mapped(folder / name) for name in ("hr.bin", "lr.bin"))
    return PairCache(scale, shapes, _firsts(shapes), hr, lr, files).chosen(large_enough)
