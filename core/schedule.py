"""Schedules: numbers as functions of the step, so that nothing about them need be checkpointed."""

import math
from collections.abc import Callable, Sequence

__all__ = [
    "Schedule",
    "at",
    "constant",
    "cosine",
    "exponential",
    "followed",
    "linear",
    "milestones",
]

Schedule = Callable[[int], float]


def at(value: "float | Schedule", step: int) -> float:
    """Return the value of a number or a schedule at ``step``."""
    return value(step) if callable(value) else value


def constant(value: float) -> Schedule:
    """Return ``value`` at every step."""
    return lambda _step: value


def linear(start: float, end: float, steps: int, begin: int = 0) -> Schedule:
    """Go from ``start`` to ``end`` in equal paces over ``steps`` steps after ``begin``."""
    return lambda step: start + (end - start) * min(max(step - begin, 0) / max(steps, 1), 1.0)


def exponential(start: float, factor: float, smallest: float) -> Schedule:
    """Divide ``start`` by ``factor`` at each step, down to ``smallest``."""
    return lambda step: max(start / factor**step, smallest)


def cosine(peak: float, steps: int, *, warmup: int = 0, floor: float = 0.0) -> Schedule:
    """Rise to ``peak`` over ``warmup`` steps, then fall to ``floor`` at ``steps`` as a cosine."""

    def value(step: int) -> float:
        if step < warmup:
            return peak * (step + 1) / warmup
        share = min((step - warmup) / max(steps - warmup, 1), 1.0)
        return floor + (peak - floor) * (1 + math.cos(math.pi * share)) / 2

    return value


def milestones(peak: float, steps: Sequence[int], factor: float, *, warmup: int = 0) -> Schedule:
    """Rise to ``peak`` over ``warmup`` steps; from each of ``steps`` on, times ``factor``."""

    def value(step: int) -> float:
        rise = min((step + 1) / warmup, 1.0) if warmup else 1.0
        return peak * rise * factor ** sum(step >= fall for fall in steps)

    return value


def followed(first: Schedule, steps: int, second: Schedule) -> Schedule:
    """Follow ``first`` for ``steps`` steps, then ``second`` from its beginning."""
    return lambda step: first(step) if step < steps else second(step - steps)
