"""Ask a teacher once: pairs of low-resolution crops and what a large network makes of them.

The finest detail of a photograph cannot be known from its low-resolution twin; a distance to it
mostly measures that. A teacher's picture holds what can be known and nothing else, so a small
network learns faster from it (Hinton et al. 2015; for super-resolution, He et al. 2020). Teachers
worth learning from are slow: here each crop is asked for once, instead of at every step.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from PIL import Image
from tqdm import tqdm

from core.command import UserError, run_command
from core.files import appearing
from core.parallel import parallel_map
from core.picture_files import PictureError, Pixels
from core.precision import Precision, autocast, pick_precision
from core.run import pick_device
from srgan.cache import read_pair
from srgan.holdout import hold_out
from srgan.pairs import PictureFile
from srgan.patches import as_tensor
from srgan.sources import check_outside, training_pictures
from srgan.upscalers import Upscaler, open_upscaler

__all__ = ["DistilConfig", "distil"]

logger = logging.getLogger(__name__)

_Pairs = dict[str, tuple[Pixels, Pixels]]  # what the teacher made of each crop, and the crop


@dataclass(frozen=True)
class DistilConfig:
    """Whom to ask about what.

    Attributes:
        teacher: an upscaler, as for srgan.evaluate.
        data: div2k, flickr2k and folders of pictures, separated by commas.
        out: gets HR, the teacher's pictures, and LRx4 (by scale), their low-resolution twins.
        data_dir: where named data sets lie.
        holdout: pictures not asked about: those that srgan.train keeps from training.
        crops: taken from each picture, no two at the same place.
        side: of a low-resolution crop; smaller pictures are taken whole.
        seed: others take other crops.
        device: where a checkpoint's network runs: auto, cpu, cuda, ...
    """

    teacher: Annotated[str, tyro.conf.Positional]
    data: str
    out: Path
    data_dir: Path = Path("data")
    holdout: int = 8
    crops: int = 1
    side: int = 64
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("holdout", 0), ("crops", 1), ("side", 16), ("seed", 0)):
            if getattr(self, name) < least:
                raise UserError(f"--{name} must be at least {least}, not {getattr(self, name)}")


def _name(path: Path) -> str:
    """Return a name of a picture's own, however ``--data`` spells the way to it."""
    return f"{path.stem}-{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]}"


def _crops(config: DistilConfig, file: PictureFile, scale: int) -> Iterator[tuple[str, Pixels]]:
    """Yield a name and uint8 ``[H, W, 3]``, the same ones each time."""
    lr = read_pair(file, scale)[1]
    name = _name(file.hr)
    draw = np.random.default_rng([config.seed, *os.fsencode(name)])
    rows, columns = (max(0, side - config.side) + 1 for side in lr.shape[:2])
    places = draw.choice(rows * columns, min(config.crops, rows * columns), replace=False)
    for top, left in zip(*divmod(places, columns), strict=True):
        crop = lr[top : top + config.side, left : left + config.side]
        yield f"{name}-{top}-{left}", crop.copy()  # a view would keep the whole picture


def _missing(config: DistilConfig, file: PictureFile, scale: int) -> dict[str, Pixels]:
    """Return the crops of a picture that lack their pair, by name."""
    try:
        crops = dict(_crops(config, file, scale))
    except PictureError as error:
        logger.warning("left out: %s", error)
        return {}
    return {
        name: lr
        for name, lr in crops.items()
        if not all(path.exists() for path in _pair(config, name, scale))
    }


def _pair(config: DistilConfig, name: str, scale: int) -> tuple[Path, Path]:
    large, small = (config.out / folder / f"{name}.png" for folder in ("HR", f"LRx{scale}"))
    return large, small


def _require_same_teacher(config: DistilConfig) -> None:
    """Refuse a folder that holds another teacher's pictures; what is new tells whose it gets."""
    path = Path(config.teacher)
    digest = None
    if path.is_file():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    record = config.out / "teacher.json"
    if not record.exists():
        with appearing(record) as temporary:
            temporary.write_text(json.dumps({"teacher": path.name, "sha256": digest}) + "\n")
        return
    before = json.loads(record.read_text())
    if (before["sha256"] or before["teacher"]) != (digest or path.name):
        raise UserError(
            f"{config.out} holds what another teacher has made, {before['teacher']}: name another "
            "--out"
        )


def _taught(
    teacher: Upscaler, crops: list[Pixels], device: torch.device, precision: Precision
) -> list[Pixels]:
    batch = as_tensor(crops).to(device)
    with torch.inference_mode(), autocast(precision, device):
        hr = teacher.run(batch).float().clamp(0, 1).mul(255).round()
    return list(hr.permute(0, 2, 3, 1).to("cpu", torch.uint8).numpy())


def distil(config: DistilConfig) -> bool:
    """Write the pairs, in an order in which every beginning is a fair sample.

    Pictures are read ahead and written behind while the teacher is asked, about all crops of a
    picture at once. What is there already stays: a second call goes on where the first one was
    stopped.

    Raises:
        UserError: if the device, the teacher or the data cannot be had.
        OSError: if ``config.out`` cannot be made, or has no room for a picture, which is named; the
            teacher is then asked no further.
    """
    device = pick_device(config.device)
    check_outside(config.out, config.data)
    config.out.mkdir(parents=True, exist_ok=True)  # rather than once the teacher has answered
    precision = pick_precision("auto", device)
    teacher = open_upscaler(config.teacher, 4, device)
    scale = teacher.scale
    _require_same_teacher(config)
    pictures, _ = hold_out(training_pictures(config.data, config.data_dir, scale), config.holdout)
    order = np.random.default_rng(config.seed).permutation(len(pictures))

    def read(index: int) -> dict[str, Pixels]:
        return _missing(config, pictures[index], scale)

    def answered(missing: Iterable[dict[str, Pixels]]) -> Iterator[_Pairs]:
        for crops in tqdm(missing, "asking", len(order), disable=None):
            if crops:
                lr = list(crops.values())
                taught = _taught(teacher, lr, device, precision)
                yield dict(zip(crops, zip(taught, lr, strict=True), strict=True))

    def write(pairs: _Pairs) -> None:
        for name, pictures in pairs.items():
            for path, pixels in zip(_pair(config, name, scale), pictures, strict=True):
                with appearing(path) as file:
                    Image.fromarray(pixels).save(file)

    with (
        parallel_map(read, order) as missing,
        parallel_map(write, answered(missing)) as written,
    ):
        for _ in written:
            pass
    logger.info("train on them with --data %s", config.out)
    return True


def main() -> None:
    """Run ``python -m srgan.distil``."""
    run_command(DistilConfig, distil)


if __name__ == "__main__":
    main()
