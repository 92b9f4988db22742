"""What is known of a model file beside its metadata: its digest, and what its makers measured."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.digest import sha256_of


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model file.

    Attributes:
        sha256: of the file, in hexadecimal.
        size_bytes: of the file.
        metrics: figures of merit by data set and name (``("Set5", "psnr_y")``); empty where no card
            (a JSON file as ``tools/model_card.py`` writes it) in the file's folder tells of this
            very file.
    """

    sha256: str
    size_bytes: int
    metrics: Mapping[tuple[str, str], float]


def read_card(path: Path) -> Card:
    """Describes a model file as it is now.

    Raises:
        OSError: it cannot be read.
    """
    digest = sha256_of(path)
    cards = sorted(path.parent.glob("*.json"))
    found = (_metrics(card, digest) for card in cards)
    return Card(digest, path.stat().st_size, next(filter(None, found), {}))


def _metrics(card: Path, digest: str) -> dict[tuple[str, str], float]:
    """What a card tells of the file with this digest; a JSON file of another kind tells nothing."""
    try:
        content: Any = json.loads(card.read_text("utf-8"))
        (metrics,) = [file["metrics"] for file in content["files"] if file["sha256"] == digest]
        return {
            (str(dataset), str(name)): float(value)
            for dataset, figures in metrics.items()
            for name, value in figures.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
