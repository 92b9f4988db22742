"""Scores as lines of text."""

import math
from collections.abc import Sequence

from srgan.evaluation.measures import Measure
from srgan.evaluation.scores import SetScore

__all__ = ["Table", "figure", "notes"]


def figure(value: float, decimals: int) -> str:
    """Return a figure as text; ``-`` where there is none."""
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"


def _note(score: SetScore, measure: Measure) -> str | None:
    """Return a sentence on a mean that does not cover its whole set."""
    count, left_out = len(score.pictures), score.left_out(measure.name)
    if not 0 < left_out < count:
        return None
    infinite = any(each.values[measure.name] == math.inf for each in score.pictures)
    reason = "infinite: they equal their originals" if infinite else "not defined"
    return (
        f"{measure.title} of {score.model} on {score.set} is the mean of {count - left_out} of "
        f"{count} pictures; for the others it is {reason}."
    )


def notes(scores: Sequence[SetScore], measures: Sequence[Measure]) -> list[str]:
    """Return a sentence for each mean that does not cover its whole set."""
    found = [_note(score, measure) for score in scores for measure in measures]
    return [note for note in found if note is not None]


class Table:
    """Lines of a table whose columns are wide enough for all that will be in them."""

    def __init__(
        self, models: Sequence[str], sets: Sequence[str], measures: Sequence[Measure]
    ) -> None:
        self._widths = [max(map(len, names)) + 2 for names in (("model", *models), ("set", *sets))]
        self._measures = measures

    def _line(self, model: str, name: str, figures: Sequence[str], seconds: str) -> str:
        first, second = self._widths
        columns = "".join(f"{text:>12}" for text in figures)
        return f"{model:<{first}}{name:<{second}}{columns}{seconds:>11}\n"

    def header(self) -> str:
        """Return the titles."""
        return self._line("model", "set", [m.title for m in self._measures], "s/picture")

    def row(self, score: SetScore) -> str:
        """Return the means of one model on one set."""
        figures = [figure(score.mean(m.name), m.decimals) for m in self._measures]
        return self._line(score.model, score.set, figures, f"{score.seconds_per_picture:.3f}")
