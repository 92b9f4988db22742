"""A small classifier whose last hidden layer gives the features that samples are judged by.

Run ``python -m core.evaluation.classifier`` to train one. Figures that two such classifiers give
do not compare: keep the file.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import random_state
from core.checkpoint import CheckpointError, load_state, save_state
from core.command import UserError, run_command
from core.datasets import ShuffledBatches, load_pictures
from core.files import check_place

__all__ = ["Classifier", "ClassifierConfig", "load_classifier", "train_classifier"]

logger = logging.getLogger(__name__)


class Classifier(nn.Module):
    """Two convolutions of stride 2, a layer of features, and a logit for each class."""

    def __init__(self, shape: tuple[int, int, int], classes: int, features: int = 128) -> None:
        """Take pictures ``[N, C, H, W]`` of ``shape`` in [0, 1]."""
        super().__init__()
        channels, height, width = shape
        self.shape = shape
        quarter = -(-height // 4) * -(-width // 4)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(32, 64, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(64 * quarter, features),
            nn.ReLU(),
        )
        self.head = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures to logits ``[N, classes]``."""
        logits: Tensor = self.head(self.layers(x))
        return logits

    @torch.no_grad()
    def features(self, pictures: Tensor, block: int = 1000) -> Tensor:
        """Map pictures to features ``[N, D]``, a block at a time; any size is brought to its own.

        Raises:
            UserError: if the pictures have another number of channels.
        """
        channels, *size = self.shape
        if pictures.shape[1] != channels:
            raise UserError(
                f"the classifier takes pictures of {channels} channels, not of {pictures.shape[1]}"
            )
        chunks = pictures.split(block)
        if list(pictures.shape[2:]) != size:
            chunks = tuple(F.interpolate(chunk, size, mode="area") for chunk in chunks)
        return torch.cat([self.layers(chunk) for chunk in chunks])

    @torch.no_grad()
    def accuracy(self, pictures: Tensor, labels: Tensor) -> float:
        """Return the share of pictures that are put in their class."""
        parts = [self(chunk).argmax(dim=1) for chunk in pictures.split(1000)]
        return float((torch.cat(parts) == labels).float().mean())


@dataclass(frozen=True)
class ClassifierConfig:
    """Settings of the classifier.

    Attributes:
        dataset: mnist, digits or cifar10.
        data_dir: where data sets lie.
        out: the file; by default features-DATASET.safetensors in the data folder.
        epochs: passes over the training pictures.
        seed: everything random follows from it.
    """

    dataset: str = "mnist"
    data_dir: Path = Path("data")
    out: Path | None = None
    epochs: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UserError(f"--epochs must be at least 1, not {self.epochs}")

    @property
    def file(self) -> Path:
        """Where the classifier is kept."""
        return self.out or self.data_dir / f"features-{self.dataset}.safetensors"


def train_classifier(config: ClassifierConfig) -> bool:
    """Train a classifier by Adam and write it; its accuracy on test pictures is logged.

    Raises:
        UserError: if the data cannot be had or has no labels.
        OSError: if the file cannot be written.
    """
    check_place(config.file)
    pictures = load_pictures(config.dataset, config.data_dir)
    train, test = pictures.train, pictures.test
    if train.labels is None or test.labels is None:
        raise UserError(f"--dataset {config.dataset} has no labels to learn from")
    random_state.seed_all(config.seed)
    network = Classifier(pictures.shape, pictures.classes)
    batches = ShuffledBatches(train.pictures, 100, config.seed, train.labels)
    steps = config.epochs * batches.per_epoch
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for index in range(steps):
        real, labels = batches.batch(index)
        assert labels is not None
        optimizer.zero_grad()
        F.cross_entropy(network(real), labels).backward()
        optimizer.step()
        schedule.step()
    network.eval()
    accuracy = network.accuracy(test.pictures, test.labels)
    logger.info("%s: %.2f %% of the test pictures are put in their class", config.file,
                100 * accuracy)  # fmt: skip
    save_state(
        config.file,
        {
            "classifier": {"shape": list(pictures.shape), "classes": pictures.classes},
            "weights": network.state_dict(),
            "accuracy": accuracy,
        },
    )
    return True


def load_classifier(path: Path) -> Classifier:
    """Read a classifier.

    Raises:
        CheckpointError: if the file is none; the message says how to make one.
    """
    hint = "python -m core.evaluation.classifier makes one"
    if not path.exists():
        raise CheckpointError(f"there is no classifier at {path}: {hint}")
    state = load_state(path)
    try:
        channels, height, width = state["classifier"]["shape"]
        network = Classifier((channels, height, width), state["classifier"]["classes"])
        network.load_state_dict(state["weights"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds no classifier ({error}): {hint}") from error
    return network.eval()


if __name__ == "__main__":
    run_command(ClassifierConfig, train_classifier)
