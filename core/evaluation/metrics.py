"""Measures of samples by name, for a finished generator and for one that is being trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from torch import Tensor

from core.command import UserError
from core.datasets import Pictures
from core.evaluation.classifier import load_classifier
from core.evaluation.frechet import frechet_distance, kernel_distance
from core.evaluation.neighbours import compare_neighbourhoods
from core.evaluation.parzen import parzen_score

__all__ = ["Metric", "MetricName", "build_metrics"]

Metric = Callable[[Tensor], Mapping[str, float]]
MetricName = Literal["parzen", "features"]

# Features of fewer are no neighbourhoods; of one picture there is no error of the mean.
_FEWEST: Mapping[MetricName, int] = MappingProxyType({"parzen": 2, "features": 10})

# The published code chooses the width on so many validation pictures.
_VALIDATION = 1000


def _parzen_metric(pictures: Pictures) -> Metric:
    """Return a measure of the Parzen score on all test pictures."""

    def measure(samples: Tensor) -> Mapping[str, float]:
        score = parzen_score(
            samples, pictures.validation.pictures[:_VALIDATION], pictures.test.pictures
        )
        return {
            "parzen": score.mean, "parzen_error": score.standard_error, "sigma": score.sigma
        }  # fmt: skip

    return measure


def _feature_metric(pictures: Pictures, classifier: Path | None) -> Metric:
    """Return a measure of samples against the test pictures, on a classifier's features.

    Raises:
        CheckpointError: if there is no classifier.
    """
    if classifier is None:
        raise UserError("the features are those of a classifier: name its file")
    network = load_classifier(classifier)
    data = network.features(pictures.test.pictures)

    def measure(samples: Tensor) -> Mapping[str, float]:
        features = network.features(samples)
        return {
            "fid": frechet_distance(features, data),
            "kid": kernel_distance(features, data),
            **asdict(compare_neighbourhoods(features, data)),
        }

    return measure


def build_metrics(
    names: Sequence[MetricName], pictures: Pictures, classifier: Path | None
) -> Metric:
    """Return one measure that gives the figures of all that are named.

    Raises:
        CheckpointError: if ``features`` is named and there is no classifier.
        UserError: if there are too few pictures to compare with.
    """
    for name in names:
        for part in (pictures.validation, pictures.test):
            if len(part) < _FEWEST[name]:
                raise UserError(
                    f"--metrics {name} needs at least {_FEWEST[name]} pictures of each kind that "
                    f"are not trained on, not {len(part)}"
                )
    makers: dict[MetricName, Callable[[], Metric]] = {
        "parzen": lambda: _parzen_metric(pictures),
        "features": lambda: _feature_metric(pictures, classifier),
    }
    metrics = [makers[name]() for name in names]

    def measure(samples: Tensor) -> Mapping[str, float]:
        return {name: value for metric in metrics for name, value in metric(samples).items()}

    return measure
