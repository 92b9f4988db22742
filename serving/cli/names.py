"""What results are called, and how to tell them from pictures that nobody has upscaled yet."""

import re
from collections.abc import Container
from pathlib import Path

from serving.pipeline.size import SizeOptions

COMPARISON = "_compare"

_MARK = re.compile(r"_(x[\d.]+|(max)?[wh]\d+)$")


def label(size: SizeOptions, model_scale: int) -> str:
    """What tells a result's name from its picture's: ``_x4``, ``_w800``, ``_w800_h600``.

    It says what was asked for, not what came of it, so that no picture must be read to know it.
    """
    marks: dict[str, float | None] = {"w": size.width, "h": size.height}
    if size.width is None and size.height is None:
        marks = {"x": size.scale or model_scale}
    marks |= {"maxw": size.max_width, "maxh": size.max_height}
    return "".join(f"_{mark}{value:g}" for mark, value in marks.items() if value is not None)


def comparison(target: Path) -> Path:
    """Where the comparison of a result is kept: lossless, so as to show the result's flaws only."""
    return target.with_name(f"{target.stem}{COMPARISON}.png")


def is_result(name: str, others: Container[str]) -> bool:
    """Whether `name` is what a result of one of `others` is called; all without suffixes."""
    bare = name.removesuffix(COMPARISON)
    if bare != name and bare in others:
        return True
    while mark := _MARK.search(bare):
        bare = bare[: mark.start()]
        if bare in others:
            return True
    return False
