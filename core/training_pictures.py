"""The pictures that a run trains on, as its players see them."""

from pathlib import Path

from core.contrast import normalise_contrast
from core.datasets import Part, Pictures, load_pictures
from core.vanilla_config import VanillaConfig

__all__ = ["training_pictures"]


def training_pictures(config: VanillaConfig, data_dir: Path | None = None) -> Pictures:
    """Return the collection that ``config`` names, from ``data_dir`` or where it says.

    Raises:
        DataUnavailableError: if the data cannot be had.
    """
    pictures = load_pictures(config.dataset, data_dir or config.data_dir, config.size)
    if not config.equal_contrast:
        return pictures
    parts = (pictures.train, pictures.validation, pictures.test)
    return Pictures(*[Part(normalise_contrast(part.pictures), part.labels) for part in parts])
