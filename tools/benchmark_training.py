"""Time this project's training loop against a plain one: same network, batch, patches, optimiser.

The plain loop is what well-known super-resolution trainers run: pairs of PNG files cut to at most
480 pixels a side, as BasicSR advises; a torch DataLoader that decodes both files whole for every
patch, in this process or in two of its own; contiguous float32 tensors; Adam. This project's loop
decodes each file once, keeps tensors in channels_last, and takes bf16 where that is faster. The
plain loop on this project's decoded pictures tells which part of the gain is whose.
"""

import itertools
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from PIL import Image
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset, RandomSampler

from core.command import UserError, option, run_command
from core.run import pick_device
from core.trainer import StepReport, Trainer
from serving.processor import processor_name
from srgan.assembly import build_game, build_trainer
from srgan.cache import PairCache, open_cache, read_pair
from srgan.config import TrainConfig
from srgan.generators import Generator, GeneratorSpec
from srgan.pairs import PictureFile
from srgan.patches import PatchSampler
from srgan.sources import list_pictures

__all__ = ["TrainingBenchmarkConfig", "benchmark_training"]

logger = logging.getLogger(__name__)

_SCALE = 4
_SIDE = 480  # of the pictures that both loops read
_LEARNING_RATE = 1e-3
_WARM_UP = 2  # steps of each round that are not counted

Loop = Callable[[int], tuple[float, list[float]]]
"""Trains for so many counted steps; returns their seconds and losses."""


@dataclass(frozen=True)
class TrainingBenchmarkConfig:
    """What to time.

    Attributes:
        folder: pictures to train on.
        pictures: how many of them to take.
        batch_size: patches a batch.
        patch: side of a low-resolution patch.
        steps: counted in each round; two more go before.
        rounds: of each loop, in turn.
        width: channels of the light generator.
        blocks: of it.
        device: auto, cpu, cuda, ...
    """

    folder: Annotated[Path, tyro.conf.Positional]
    pictures: int = 64
    batch_size: int = 16
    patch: int = 48
    width: int = 32
    blocks: int = 4
    steps: int = 10
    rounds: int = 5
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("pictures", "batch_size", "patch", "steps", "rounds"):
            if getattr(self, name) < 1:
                raise UserError(f"{option(name)} must be at least 1, not {getattr(self, name)}")


def _write_pairs(config: TrainingBenchmarkConfig, out: Path) -> list[PictureFile]:
    """Cut pictures to size and write them and their twins as PNG."""
    found = list_pictures(config.folder)
    found = found[:: max(1, len(found) // config.pictures)][: config.pictures]
    files: list[PictureFile] = []
    for path in found:
        hr, lr = read_pair(PictureFile(path), _SCALE)
        if min(lr.shape[:2]) < config.patch:
            continue
        file = PictureFile(out / f"{len(files)}.png", out / f"{len(files)}x{_SCALE}.png")
        assert file.lr is not None
        Image.fromarray(hr[:_SIDE, :_SIDE]).save(file.hr)
        Image.fromarray(lr[: _SIDE // _SCALE, : _SIDE // _SCALE]).save(file.lr)
        files.append(file)
    if not files:
        side = config.patch * _SCALE
        raise UserError(f"{config.folder} holds no pictures of at least {side} pixels a side")
    return files


class _Losses:
    """An observer that keeps the pixel loss of each step, on the device."""

    def __init__(self) -> None:
        self.values: list[Tensor] = []

    def after_step(self, trainer: Trainer, report: StepReport) -> None:  # noqa: ARG002
        self.values.append(report.values["generator/pixel"])

    def close(self) -> None:
        pass


def _fresh_generator(config: TrainingBenchmarkConfig) -> Generator:
    torch.manual_seed(0)
    return GeneratorSpec("light", _SCALE, config.width, config.blocks).build()


def _project_loop(
    config: TrainingBenchmarkConfig, pairs: PairCache, device: torch.device
) -> tuple[str, Loop]:
    settings = TrainConfig(
        pixel_steps=1_000_000,  # so that the learning rate stays where it is
        adversarial_steps=0,
        batch_size=config.batch_size,
        patch=config.patch,
        optimizer="adam",
        learning_rate=_LEARNING_RATE,
        warmup=0,
        ema=0.0,
    )
    trainer = build_trainer(settings, build_game(settings, _fresh_generator(config)), pairs, device)

    def run(steps: int) -> tuple[float, list[float]]:
        losses = _Losses()
        trainer.train(trainer.step + _WARM_UP)
        trainer.observers = [losses]
        start = time.perf_counter()
        trainer.train(trainer.step + steps)
        values = [float(value) for value in losses.values]
        seconds = time.perf_counter() - start
        trainer.observers = []
        return seconds, values

    return f"this project, {trainer.precision}, channels_last", run


class _Crops(Dataset[tuple[Tensor, Tensor]]):
    """Aligned random patches in 8 poses, each from two files decoded for it alone."""

    def __init__(self, files: list[PictureFile], patch: int) -> None:
        self.files = files
        self.patch = patch

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        file, side, scale = self.files[index], self.patch, _SCALE
        hr, lr = read_pair(file, scale)
        top, left = (int(torch.randint(s - side + 1, ())) for s in lr.shape[:2])
        turns, mirror = int(torch.randint(4, ())), bool(torch.randint(2, ()))
        patches = []
        for picture, step in ((lr, 1), (hr, scale)):
            rows, columns = (slice(s * step, (s + side) * step) for s in (top, left))
            patch = np.rot90(picture[rows, columns], turns)
            patch = patch[:, ::-1] if mirror else patch
            planes = np.ascontiguousarray(patch.transpose(2, 0, 1))
            patches.append(torch.from_numpy(planes).float() / 255)
        return patches[0], patches[1]


def _loader(
    config: TrainingBenchmarkConfig, files: list[PictureFile], workers: int
) -> Iterable[tuple[Tensor, Tensor]]:
    """Return one round's batches, anew each time they are iterated over."""
    crops = _Crops(files, config.patch)
    count = (_WARM_UP + config.steps) * config.batch_size
    sampler = RandomSampler(crops, replacement=True, num_samples=count)
    return DataLoader(crops, config.batch_size, sampler=sampler, num_workers=workers)


class _Sampled:
    """One round's batches from decoded pictures, other ones each time they are iterated over."""

    def __init__(self, config: TrainingBenchmarkConfig, pairs: PairCache) -> None:
        self.sampler = PatchSampler(pairs, config.batch_size, config.patch, seed=1)
        self.indices = itertools.count()
        self.steps = _WARM_UP + config.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for index in itertools.islice(self.indices, self.steps):
            hr, lr = self.sampler.batch(index)
            assert lr is not None
            yield lr.contiguous(), hr.contiguous()


def _plain_loop(
    config: TrainingBenchmarkConfig,
    name: str,
    batches: Iterable[tuple[Tensor, Tensor]],
    device: torch.device,
) -> tuple[str, Loop]:
    generator = _fresh_generator(config).to(device)
    optimizer = Adam(generator.parameters(), lr=_LEARNING_RATE)

    def run(steps: int) -> tuple[float, list[float]]:
        losses, start = [], 0.0
        for step, (lr, hr) in enumerate(batches):
            if step == _WARM_UP:
                start = time.perf_counter()
            loss = F.l1_loss(generator(lr.to(device)), hr.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        values = [float(value) for value in losses[-steps:]]
        return time.perf_counter() - start, values

    return f"plain, fp32, {name}", run


class _Result(NamedTuple):
    name: str
    images_per_second: float
    loss: float
    uncertainty: float


def _interleaved(config: TrainingBenchmarkConfig, loops: list[tuple[str, Loop]]) -> list[_Result]:
    """Run the loops in turn; return medians of speed, and means of the last half's losses."""
    seconds: list[list[float]] = [[] for _ in loops]
    losses: list[list[float]] = [[] for _ in loops]
    for _round in range(config.rounds):
        for index, (_, run) in enumerate(loops):
            taken, values = run(config.steps)
            seconds[index].append(taken)
            losses[index] += values
    results = []
    for (name, _), taken_each, values in zip(loops, seconds, losses, strict=True):
        late = values[len(values) // 2 :]
        uncertainty = statistics.stdev(late) / len(late) ** 0.5 if len(late) > 1 else 0.0
        speed = config.steps * config.batch_size / statistics.median(taken_each)
        results.append(_Result(name, speed, statistics.mean(late), uncertainty))
    return results


def benchmark_training(config: TrainingBenchmarkConfig) -> bool:
    """Time the loops in turn and print images a second, ratios and losses.

    Raises:
        UserError: if the folder holds no pictures that are large enough.
    """
    device = pick_device(config.device)
    with tempfile.TemporaryDirectory() as folder:
        files = _write_pairs(config, Path(folder))
        pairs = open_cache(Path(folder) / "cache", files, _SCALE, smallest_side=config.patch)
        loops = [
            _project_loop(config, pairs, device),
            _plain_loop(config, "PNG, no workers", _loader(config, files, 0), device),
            _plain_loop(config, "PNG, 2 workers", _loader(config, files, 2), device),
            _plain_loop(config, "decoded pictures", _Sampled(config, pairs), device),
        ]
        results = _interleaved(config, loops)
    patch = f"{config.patch}x{config.patch}"
    sys.stdout.write(
        f"light {config.blocks}x{config.width}, batches of {config.batch_size} patches of "
        f"{patch}, {device}: {torch.get_num_threads()} threads, {processor_name()}, "
        f"torch {torch.__version__}\n"
        f"{'loop':<38}{'images/s':>10}{'ours is':>10}{'pixel loss':>20}\n"
    )
    for result in results:
        ratio = results[0].images_per_second / result.images_per_second
        loss = f"{result.loss:.4f} ± {result.uncertainty:.4f}"
        sys.stdout.write(
            f"{result.name:<38}{result.images_per_second:>10.1f}{f'{ratio:.2f}x':>10}{loss:>20}\n"
        )
    return True


def main() -> None:
    """Run ``python tools/benchmark_training.py``."""
    run_command(TrainingBenchmarkConfig, benchmark_training)


if __name__ == "__main__":
    main()
