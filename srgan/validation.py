"""What is looked at while a generator trains: PSNR of held-out pictures, and pictures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from core.command import UserError
from core.game import Batch
from core.picture_files import PictureError, Pixels
from core.pictures import save_grid
from core.trainer import Trainer
from srgan.cache import PairCache, open_cache
from srgan.degradations import Degradation, damaged
from srgan.evaluation.sets import pairs as pairs_of
from srgan.generators import Generator
from srgan.metrics import psnr_y
from srgan.pairs import PictureFile
from srgan.patches import as_tensor
from srgan.tiles import upscale_in_tiles

__all__ = ["Samples", "check_sets", "degraded", "middles", "open_held_out", "validation"]

_DEGRADED = 1024  # largest side; a degradation takes 200 bytes of memory a pixel


def _upscale(trainer: Trainer, lr: Tensor) -> Tensor:
    network = cast(Generator, trainer.sampler)
    network.eval()
    with torch.no_grad():
        hr = upscale_in_tiles(network, lr.to(trainer.device), network.scale, network.halo)
    network.train(trainer.ema is None)
    return hr.cpu()


def open_held_out(
    cache_dir: Path,
    files: Sequence[PictureFile],
    scale: int,
    patch: int,
    held_out: Sequence[PictureFile],
) -> PairCache | None:
    """Open what is held out of ``files``, as :func:`srgan.cache.open_cache` does; None if nothing.

    Raises:
        UserError: if none of it can be used; the message names the files.
    """
    if not held_out:
        return None
    try:
        return open_cache(cache_dir, files, scale, patch, held_out)
    except UserError as error:
        names = ", ".join(str(file.hr) for file in held_out)
        raise UserError(
            f"--holdout: {error}: {names}; remove them, and others are held out"
        ) from error


def _middle(picture: Pixels, side: int) -> Pixels:
    top, left = (max(0, length - side) // 2 for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def degraded(pairs: PairCache, degradation: Degradation) -> PairCache:
    """Return the same pictures with twins that ``degradation`` makes, each in its own way.

    Which way depends on a picture's place alone, so that runs of different seeds compare. Pictures
    of more than 1024 pixels a side are cut to their middles.
    """
    large = [_middle(picture, _DEGRADED // pairs.scale * pairs.scale) for picture in pairs.hr]
    lr = []
    for index, picture in enumerate(large):
        small = damaged(as_tensor([picture]), degradation, pairs.scale, index)[0]
        lr.append(small.mul(255).round().to(torch.uint8).permute(1, 2, 0).numpy())
    return PairCache.of(pairs.scale, large, lr)


def check_sets(sets: Sequence[Path], scale: int) -> None:
    """Read each picture of some sets once: one that is broken would end a run at a checkpoint.

    Args:
        sets: folders as for ``srgan.evaluate``.
        scale: of the generator, and the border that is left out of the measure.

    Raises:
        UserError: if a set cannot be used, or a picture cannot be read or is too small; the message
            names it.
    """
    for folder in sets:
        try:
            for pair in pairs_of(folder, scale):
                if min(pair.hr.shape[-2:]) <= 2 * scale:
                    raise UserError(
                        f"--validate: {pair.name} in {folder} must have sides of more than "
                        f"{2 * scale} pixels, for at scale {scale} a border of {scale} is left out"
                    )
        except PictureError as error:
            raise UserError(f"--validate: {error}") from error


def validation(
    held_out: PairCache | None, name: str, sets: Mapping[str, Path], scale: int
) -> Callable[[Trainer], Mapping[str, float]]:
    """Return a measure: mean PSNR on luma of the sampled generator, for each collection.

    Args:
        held_out: pictures kept from training, as ``validation/NAME_psnr_y``.
        name: of where their low-resolution twins come from, such as ``bicubic``.
        sets: folders as for ``srgan.evaluate`` by name, as ``validation/NAME_psnr_y``.
        scale: of the generator, and the border that is left out.
    """

    def score(trainer: Trainer, pairs: Iterable[tuple[Tensor, Tensor]]) -> float:
        values = [psnr_y(_upscale(trainer, lr), hr, scale) for lr, hr in pairs]
        return sum(values) / len(values)

    def measure(trainer: Trainer) -> Mapping[str, float]:
        scores = {}
        if held_out is not None:
            pairs = (
                (as_tensor([lr]), as_tensor([hr]))
                for lr, hr in zip(held_out.lr, held_out.hr, strict=True)
            )
            scores[f"validation/{name}_psnr_y"] = score(trainer, pairs)
        for set_name, folder in sets.items():
            pairs = ((pair.lr, pair.hr) for pair in pairs_of(folder, scale))
            scores[f"validation/{set_name}_psnr_y"] = score(trainer, pairs)
        return scores

    return measure


def middles(folder: Path, scale: int, side: int = 48, count: int = 8) -> Batch:
    """Return the middles of a set's first pictures, to look at.

    Args:
        folder: the set, as for ``srgan.evaluate``.
        scale: of the generator.
        side: of a low-resolution patch; all are smaller where a picture is.
        count: of pictures, at most.

    Raises:
        UserError: as for :func:`srgan.evaluation.sets.pairs`.
    """
    seen = list(islice(pairs_of(folder, scale), count))
    side = min(side, *(min(pair.lr.shape[-2:]) for pair in seen))

    def middle(picture: Tensor, factor: int) -> Tensor:
        top, left = ((length // factor - side) // 2 * factor for length in picture.shape[-2:])
        return picture[..., top : top + side * factor, left : left + side * factor]

    return Batch(
        real=torch.cat([middle(pair.hr, scale) for pair in seen]),
        cond=torch.cat([middle(pair.lr, 1) for pair in seen]),
    )


class Samples:
    """An action: writes enlarged, upscaled and true patches of one batch side by side."""

    def __init__(self, batch: Batch, folder: Path) -> None:
        """Show ``batch`` in ``folder``, one file for each step that is asked for."""
        assert batch.cond is not None
        self._lr = batch.cond
        self._hr = batch.real
        self._enlarged = F.interpolate(
            batch.cond, batch.real.shape[-2:], mode="bicubic", align_corners=False
        )
        self._folder = folder

    def __call__(self, trainer: Trainer) -> None:
        """Write ``STEP.png``: bicubic, generator, truth, two such rows of three side by side."""
        upscaled = _upscale(trainer, self._lr)
        rows = torch.stack([self._enlarged, upscaled, self._hr], dim=1).flatten(0, 1)
        save_grid(rows, self._folder / f"{trainer.step:07}.png", columns=6)
