"""Judge a trained generator: Parzen score, Fréchet and kernel distance, precision and recall."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from torch import Tensor

from core.command import UserError, run_command
from core.datasets import Pictures
from core.evaluation.metrics import MetricName, build_metrics
from core.evaluation.references import centroids, mean_picture, some_pictures
from core.sampler import Sampler, load_sampler
from core.training_pictures import training_pictures
from core.vanilla_config import VanillaConfig

__all__ = ["EvaluateConfig", "evaluate"]


@dataclass(frozen=True)
class EvaluateConfig:
    """What is judged, and how.

    Attributes:
        generator: a generator file, or the folder of a run.
        data_dir: where data sets lie; by default where they lay in training.
        metrics: parzen, the 2014 paper's score in nats; features, the distances and shares on the
            features of a classifier.
        classifier: the file that python -m core.evaluation.classifier wrote; by default
            features-DATASET.safetensors in the data folder. One that knows other pictures, such as
            CIFAR-10's, serves for a folder without labels.
        samples: how many are drawn.
        references: judge training pictures, k-means centroids and the mean picture too.
        seed: of the noise.
    """

    generator: tyro.conf.Positional[Path]
    data_dir: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    metrics: tuple[MetricName, ...] = ("parzen",)
    classifier: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    samples: int = 10_000
    references: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples < 10:
            raise UserError(f"--samples must be at least 10, not {self.samples}")
        if not self.metrics:
            raise UserError("--metrics must name at least one of parzen, features")


def _rows(
    config: EvaluateConfig, sampler: Sampler, pictures: Pictures
) -> Iterator[tuple[str, Tensor]]:
    yield str(config.generator), sampler.sample(config.samples, config.seed)
    if config.references:
        train = pictures.train.pictures
        yield "training pictures", some_pictures(train, config.samples)
        yield "2000 k-means centroids", centroids(train, 2000)
        yield "the mean picture", mean_picture(train).expand(config.samples, -1, -1, -1)


def _line(name: str, figures: Mapping[str, float]) -> str:
    parts = []
    for key, value in figures.items():
        if key == "parzen":
            parts.append(f"Parzen {value:.1f} ± {figures['parzen_error']:.1f} nats")
        elif key != "parzen_error":
            parts.append(f"{key} {value:.3f}")
    return f"{name:<24} {'  '.join(parts)}\n"


def evaluate(config: EvaluateConfig) -> bool:
    """Print a line of figures for the generator, and one for each reference.

    Raises:
        UserError: if the generator, the data or the classifier cannot be had.
    """
    sampler = load_sampler(config.generator)
    trained = VanillaConfig.of(sampler.training["config"])
    data_dir = config.data_dir or trained.data_dir
    pictures = training_pictures(trained, data_dir)
    classifier = config.classifier or data_dir / f"features-{trained.dataset}.safetensors"
    measure = build_metrics(config.metrics, pictures, classifier)
    for name, samples in _rows(config, sampler, pictures):
        sys.stdout.write(_line(name, measure(samples)))
        sys.stdout.flush()
    return True


if __name__ == "__main__":
    run_command(EvaluateConfig, evaluate)
