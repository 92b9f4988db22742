"""Measure upscalers on test sets: PSNR and SSIM on luma and on RGB, each under its own name."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

from core.command import UserError, run_command
from srgan.cache import read_rgb
from srgan.metrics import crop_border, luma, psnr, quantise, ssim
from srgan.patches import as_tensor
from srgan.resize import imresize_uint8
from srgan.sources import list_pictures
from srgan.stlpips import ShiftTolerantLPIPS
from srgan.upscalers import Upscaler, open_upscaler

__all__ = ["EvaluateConfig", "evaluate", "evaluation_pairs", "score"]

logger = logging.getLogger(__name__)

_COLUMNS = {
    "psnr_y": "PSNR-Y",
    "ssim_y": "SSIM-Y",
    "psnr_rgb": "PSNR-RGB",
    "ssim_rgb": "SSIM-RGB",
    "st_lpips": "ST-LPIPS",
    "seconds": "seconds",
}


@dataclass(frozen=True)
class EvaluateConfig:
    """What to measure.

    Attributes:
        models: bicubic, .onnx files, .safetensors files.
        sets: folders with HR/ and LRx2/ or LRx4/ inside, or folders of pictures, which are reduced
            with MATLAB's bicubic first.
        scale: of bicubic.
        border: pixels taken off each side before comparing; the scale where not given.
        perceptual: also measure shift-tolerant LPIPS (VGG trunk, no border cut; lower is closer).
        json_out: also write the table to this file.
    """

    models: Annotated[tuple[str, ...], tyro.conf.Positional]
    sets: tuple[Path, ...]
    scale: int = 4
    border: int | None = None
    perceptual: bool = False
    json_out: Path | None = None

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise UserError(f"--scale must be at least 1, not {self.scale}")
        if self.border is not None and self.border < 0:
            raise UserError(f"--border must be at least 0, not {self.border}")


def evaluation_pairs(folder: Path, scale: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``(lr, hr)``, float32 ``[1, 3, H, W]`` and ``[1, 3, scale * H, scale * W]`` in [0, 1].

    Raises:
        UserError: if the folder holds no pictures, or a picture has no twin of the right size.
    """
    published = folder / "HR"
    for path in list_pictures(published if published.is_dir() else folder):
        hr = as_tensor([read_rgb(path)])
        height, width = (side // scale * scale for side in hr.shape[-2:])
        hr = hr[..., :height, :width]
        twins = folder / f"LRx{scale}"
        if published.is_dir() and twins.is_dir():
            twin = twins / path.name
            if not twin.is_file():
                raise UserError(f"{path} has no low-resolution twin {twin}")
            lr = as_tensor([read_rgb(twin)])
        else:
            lr = imresize_uint8(hr.mul(255).round().to(torch.uint8), 1 / scale).float() / 255
        if [scale * side for side in lr.shape[-2:]] != [height, width]:
            raise UserError(f"{path} is not {scale} times as large as its low-resolution twin")
        yield lr, hr


def score(
    upscaler: Upscaler, folder: Path, border: int, perceptual: ShiftTolerantLPIPS | None = None
) -> dict[str, float]:
    """Return the means over a set of PSNR (dB) and SSIM on luma and RGB, and seconds in all.

    Args:
        upscaler: what enlarges.
        folder: the set, as for :func:`evaluation_pairs`.
        border: pixels taken off each side before PSNR and SSIM.
        perceptual: also return the mean of this distance, as ``st_lpips``.
    """
    rows = []
    seconds = 0.0
    for lr, hr in evaluation_pairs(folder, upscaler.scale):
        start = time.perf_counter()
        upscaled = upscaler.run(lr)
        seconds += time.perf_counter() - start
        whole = quantise(upscaled)
        got, wanted = crop_border(whole, border), crop_border(quantise(hr), border)
        row = {
            "psnr_y": psnr(luma(got), luma(wanted)),
            "ssim_y": ssim(luma(got), luma(wanted)),
            "psnr_rgb": psnr(got, wanted),
            "ssim_rgb": ssim(got, wanted),
        }
        if perceptual is not None:
            with torch.no_grad():
                row["st_lpips"] = float(perceptual(whole.float(), hr))
        rows.append(row)
    means = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    return means | {"pictures": float(len(rows)), "seconds": seconds}


def evaluate(config: EvaluateConfig) -> bool:
    """Score each model on each set and print the table."""
    columns = {name: title for name, title in _COLUMNS.items()
               if config.perceptual or name != "st_lpips"}  # fmt: skip
    perceptual = ShiftTolerantLPIPS("vgg") if config.perceptual else None
    titles = "".join(f"{title:>10}" for title in columns.values())
    sys.stdout.write(f"{'model':<28}{'set':<14}{titles}\n")
    table = []
    for model in config.models:
        upscaler = open_upscaler(model, config.scale)
        border = upscaler.scale if config.border is None else config.border
        for folder in config.sets:
            try:
                row = score(upscaler, folder, border, perceptual)
            except ValueError as error:  # a picture that cannot be read, or is too small
                raise UserError(f"{folder}: {error}") from error
            table.append({"model": upscaler.name, "set": folder.name, **row})
            numbers = "".join(f"{row[c]:>10.{2 if 'psnr' in c else 4}f}" for c in columns)
            sys.stdout.write(f"{upscaler.name:<28}{folder.name:<14}{numbers}\n")
            sys.stdout.flush()
    if config.json_out is not None:
        config.json_out.write_text(json.dumps(table, indent=2) + "\n")
    return True


def main() -> None:
    """Run ``python -m srgan.evaluate``."""
    run_command(EvaluateConfig, evaluate)


if __name__ == "__main__":
    main()
