"""Scores of upscalers on a set, picture by picture, and means that hide nothing."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from core.picture_files import PictureError
from srgan.evaluation.measures import Measure, fidelity
from srgan.evaluation.sets import Pair, Sample, pairs
from srgan.metrics import quantise
from srgan.upscalers import Upscaler

__all__ = ["PictureScore", "SetScore", "mean_psnr_y", "score_set"]

_WARM_UP = 32  # side of the picture that is upscaled before the clock starts


@dataclass(frozen=True)
class PictureScore:
    """Figures of one upscaled picture.

    Attributes:
        picture: its file's name.
        values: by measure; infinite or NaN where a measure has no figure for it.
        seconds: that upscaling took.
    """

    picture: str
    values: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class SetScore:
    """Figures of one upscaler on one set.

    Attributes:
        model: the upscaler's name.
        set: the set's name.
        scale: output side over input side.
        pictures: one by one.
    """

    model: str
    set: str
    scale: int
    pictures: tuple[PictureScore, ...]

    def mean(self, name: str) -> float:
        """Return the mean of a measure over the pictures for which it is finite.

        Where it is for none: infinite if it is for all of them (all equal their originals), else
        NaN.
        """
        values = [picture.values[name] for picture in self.pictures]
        finite = [value for value in values if math.isfinite(value)]
        if finite:
            return sum(finite) / len(finite)
        return math.inf if all(value == math.inf for value in values) else math.nan

    def left_out(self, name: str) -> int:
        """Return how many pictures are not in the mean."""
        return sum(not math.isfinite(picture.values[name]) for picture in self.pictures)

    @property
    def seconds_per_picture(self) -> float:
        """Mean time that upscaling took."""
        return sum(picture.seconds for picture in self.pictures) / len(self.pictures)

    def as_json(self) -> dict[str, Any]:
        """Return plain data for strict JSON: null where there is no finite figure."""

        def plain(value: float) -> float | None:
            return value if math.isfinite(value) else None

        names = list(self.pictures[0].values)
        return {
            "model": self.model,
            "set": self.set,
            "scale": self.scale,
            "pictures": len(self.pictures),
            **{name: plain(self.mean(name)) for name in names},
            "seconds_per_picture": self.seconds_per_picture,
            "left_out": {name: self.left_out(name) for name in names if self.left_out(name)},
            "each": [
                {
                    "picture": score.picture,
                    **{name: plain(value) for name, value in score.values.items()},
                    "seconds": score.seconds,
                }
                for score in self.pictures
            ],
        }


Watch = Callable[[Sample, Mapping[str, Tensor]], None]


def score_set(
    name: str,
    upscalers: Sequence[Upscaler],
    samples: Iterable[Sample],
    measures: Sequence[Measure],
    watch: Watch | None = None,
) -> list[SetScore]:
    """Score upscalers of one scale on a set, all of them on one picture before the next.

    Args:
        name: of the set.
        upscalers: with distinct names.
        samples: at least one.
        measures: what to measure.
        watch: is given each sample and what each upscaler made of it, by name, float64
            ``[1, 3, H, W]`` in [0, 1].

    Returns:
        A score for each upscaler, in their order.

    Raises:
        PictureError: if a picture cannot be read, or is too small for a measure.
    """
    scores: dict[str, list[PictureScore]] = {upscaler.name: [] for upscaler in upscalers}
    for index, sample in enumerate(samples):
        upscaled = {}
        hr = quantise(sample.hr) if isinstance(sample, Pair) else None
        for upscaler in upscalers:
            if index == 0:
                upscaler.run(sample.lr[..., :_WARM_UP, :_WARM_UP])
            start = time.perf_counter()
            result = upscaler.run(sample.lr)
            seconds = time.perf_counter() - start
            upscaled[upscaler.name] = picture = quantise(result)
            try:
                values = {measure.name: measure.value(picture, hr) for measure in measures}
            except ValueError as error:
                raise PictureError(f"{sample.name}: {error}") from error
            scores[upscaler.name].append(PictureScore(sample.name, values, seconds))
        if watch is not None:
            watch(sample, upscaled)
    return [
        SetScore(upscaler.name, name, upscaler.scale, tuple(scores[upscaler.name]))
        for upscaler in upscalers
    ]


def mean_psnr_y(upscaler: Upscaler, folder: Path) -> float:
    """Return the mean PSNR on luma over a set of :func:`~srgan.evaluation.sets.pairs`, in dB.

    A border of the scale's width is left out.

    Raises:
        UserError: if the set or a picture of it cannot be used.
    """
    samples = pairs(folder, upscaler.scale)
    (score,) = score_set(folder.name, [upscaler], samples, fidelity(upscaler.scale)[:1])
    return score.mean("psnr_y")
