"""Why the light generators look as they do: four designs, trained for equal time and timed.

The rejected designs live here and nowhere else.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import random_state
from core.command import UserError, run_command
from core.run import Periodic
from core.trainer import Trainer
from srgan.assembly import build_game, build_trainer
from srgan.cache import open_cache
from srgan.config import TrainConfig
from srgan.evaluation.scores import mean_psnr_y
from srgan.generators import Generator, Light, Plain
from srgan.generators.light import ResidualBlock
from srgan.sources import training_pictures
from srgan.train import seconds_a_step
from srgan.upscalers import open_upscaler
from tools.benchmark import time_engines
from tools.export_onnx import export_onnx
from tools.quantise import quantise

__all__ = ["DesignsConfig", "compare"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DesignsConfig:
    """What to train on, and for how long.

    Attributes:
        data: div2k, or folders of pictures separated by commas.
        data_dir: where named data sets lie.
        cache_dir: where decoded pictures are kept.
        sets: folders to score on, as for srgan.evaluate.
        pictures: folder of photographs that the 8-bit twins are calibrated on.
        minutes: of processor time that training takes, for each design.
        width: channels of each design.
        out: folder for the ONNX files.
        threads: to time the files with.
        picture: to time the files on.
    """

    data: str
    sets: tuple[Path, ...]
    pictures: Path
    data_dir: Path = Path("data")
    cache_dir: Path = Path("data/cache")
    minutes: float = 10.0
    width: int = 32
    out: Path = Path("runs/designs")
    threads: int = 2
    picture: Path = Path("examples/cat.png")

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise UserError(f"--minutes must be positive, not {self.minutes}")


class _GatedBlock(ResidualBlock):
    """A residual block whose result also weighs the sum, by half to one and a half."""

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.second(self.relu(self.first(x)))
        return (x + residual) * (1 + residual.clamp(-0.5, 0.5))


class _Gated(Light):
    """Attention that has no parameters, in operations that integers do fast and without loss."""

    block = _GatedBlock


class _AttentionBlock(nn.Module):
    """Three convolutions whose result also weighs itself, without parameters (SPAN, 2024)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second, self.third = (
            nn.Conv2d(width, width, 3, padding=1) for _ in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.third(F.silu(self.second(F.silu(self.first(x)))))
        return (x + found) * (torch.sigmoid(found) - 0.5)


class _Attention(Light):
    """Blocks with parameter-free attention; three convolutions each, so about as many in all."""

    def __init__(self, scale: int, width: int, blocks: int) -> None:
        super().__init__(scale, width, blocks)
        count = max(1, round(2 * blocks / 3))
        self.body = nn.Sequential(*(_AttentionBlock(width) for _ in range(count)))
        self.halo = 3 * count + 2


DESIGNS: Mapping[str, Callable[[int, int, int], Generator]] = {
    "plain": Plain,
    "residual": Light,
    "gated": _Gated,
    "attention": _Attention,
}


def _trained(design: str, config: DesignsConfig, settings: TrainConfig) -> Generator:
    """Train a design for its minutes; return the plain smoothed network."""
    random_state.seed_all(settings.seed)
    network = DESIGNS[design](settings.scale, settings.width, settings.blocks)
    generator = DESIGNS[design](settings.scale, settings.width, settings.blocks)
    pictures = training_pictures(config.data, config.data_dir, settings.scale)
    pairs = open_cache(config.cache_dir, pictures, settings.scale, smallest_side=settings.patch)
    cpu = torch.device("cpu")

    def trainer(of: Generator, steps: int) -> Trainer:
        run = replace(settings, pixel_steps=steps)
        return build_trainer(run, build_game(run, of), pairs, cpu)

    # Other work beside does not change processor time.
    steps = round(60 * config.minutes / seconds_a_step(trainer(network, 1000), 10, process_time))
    logger.info("%s: %d steps in %g minutes", design, steps, config.minutes)
    run = trainer(generator, steps)
    run.observers = [Periodic(max(1, steps // 5), lambda t: logger.info("step %d", t.step))]
    run.train(steps)
    smoothed = run.sampler
    assert isinstance(smoothed, Generator)
    return smoothed.eval()


def compare(config: DesignsConfig) -> bool:
    """Train, export, quantise, score and time the designs, and print the table."""
    # one candidate: equal times are for the designs, not for the choice of patches
    settings = TrainConfig(adversarial_steps=0, width=config.width, candidates=1)
    files: list[Path] = []
    for design in DESIGNS:
        network = _trained(design, config, settings)
        path = config.out / f"{design}.onnx"
        export_onnx(network, path, {"scale": str(network.scale), "halo": str(network.halo)})
        twin = config.out / f"{design}-int8.onnx"
        quantise(path, twin, config.pictures, network.scale, allowed=float("inf"))
        files += [path, twin]
    timings = time_engines([("ours", path) for path in files], config.picture, config.threads, 15)
    names = "".join(f"{folder.name:>10}" for folder in config.sets)
    sys.stdout.write(f"{'file':<24}{names}{'ms':>9}\n")
    for path, timing in zip(files, timings, strict=True):
        upscaler = open_upscaler(str(path), settings.scale)
        numbers = "".join(f"{mean_psnr_y(upscaler, folder):>10.2f}" for folder in config.sets)
        sys.stdout.write(f"{path.name:<24}{numbers}{1e3 * timing.seconds:>9.1f}\n")
    return True


def main() -> None:
    """Run ``python tools/light_designs.py``."""
    for chatty in ("onnxscript", "onnx_ir"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    run_command(DesignsConfig, compare)


if __name__ == "__main__":
    main()
