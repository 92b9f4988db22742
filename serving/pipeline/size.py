"""How large the result shall be, and by which steps the model gets there."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isfinite, log

from serving.errors import ImageTooLarge, InvalidOption

LARGEST_SCALE = 16


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class SizeOptions:
    """What a caller may ask of the result's size; nothing means the model's own scale.

    Attributes:
        scale: factor of each side, 1 to 16; not beside width or height.
        width: of the result in pixels, up to 16 times the input's; alone it keeps proportions.
        height: of the result in pixels, likewise; alone it keeps proportions.
        max_width: the result is made smaller, in proportion, where it would be wider.
        max_height: the result is made smaller, in proportion, where it would be higher.

    Raises:
        InvalidOption: a value is out of its range, or contradicts another one.
    """

    scale: float | None = None
    width: int | None = None
    height: int | None = None
    max_width: int | None = None
    max_height: int | None = None

    def __post_init__(self) -> None:
        scale = self.scale
        if scale is not None and not (isfinite(scale) and 1 <= scale <= LARGEST_SCALE):
            raise InvalidOption("options.scale", f"{scale:g}", f"1 to {LARGEST_SCALE}")
        for name in ("width", "height", "max_width", "max_height"):
            value = getattr(self, name)
            if value is None:
                continue
            if value < 1:
                raise InvalidOption(f"options.{name}", value, "at least 1")
            if scale is not None and not name.startswith("max"):
                raise InvalidOption(f"options.{name}", value, "none beside options.scale")

    def of_result(self, source: Size, model_scale: int, most_pixels: int) -> Size:
        """The size of the result for an input and a model.

        Raises:
            InvalidOption: a side would be more than 16 times the input's.
            ImageTooLarge: it would have more than `most_pixels`.
        """
        asked = self._asked(source, model_scale)
        for name in ("width", "height"):
            most = LARGEST_SCALE * getattr(source, name)
            if getattr(self, name) is not None and getattr(asked, name) > most:
                raise InvalidOption(
                    f"options.{name}", getattr(asked, name), f"at most {most}, 16 times the image's"
                )
        shrink = min(
            1.0,
            (self.max_width or asked.width) / asked.width,
            (self.max_height or asked.height) / asked.height,
        )
        result = Size(_rounded(asked.width * shrink), _rounded(asked.height * shrink))
        if result.pixels > most_pixels:
            field, value = self._cause(source)
            raise ImageTooLarge(
                field,
                f"{value}, which makes {result.width}x{result.height} = {result.pixels} pixels",
                f"at most {most_pixels}",
            )
        return result

    def _asked(self, source: Size, model_scale: int) -> Size:
        if self.width is not None:
            height = self.height or _rounded(source.height * self.width / source.width)
            return Size(self.width, height)
        if self.height is not None:
            return Size(_rounded(source.width * self.height / source.height), self.height)
        scale = model_scale if self.scale is None else self.scale
        return Size(_rounded(source.width * scale), _rounded(source.height * scale))

    def _cause(self, source: Size) -> tuple[str, str]:
        """What made the result as large as it is, and its value."""
        for name in ("scale", "width", "height"):
            value = getattr(self, name)
            if value is not None:
                return f"options.{name}", f"{value:g}"
        return "image", f"{source.width}x{source.height}"


def plan_passes(source: Size, target: Size, model_scale: int) -> Iterator[Size]:
    """The sizes that the model is given, one for each time that it runs; the first is the source's.

    The model runs as often as its scale must be multiplied to reach the target, once at least.
    Between two runs the picture is shrunk so far that the last run just reaches the target: that
    costs a fraction of running on everything and shrinking at the end, and comes out better.
    """
    factor = max(target.width / source.width, target.height / source.height)
    runs = max(1, ceil(log(factor, model_scale) - 1e-9)) if model_scale > 1 else 1
    for later in reversed(range(runs)):
        if later == runs - 1:
            yield source
        else:
            reached = model_scale ** (later + 1)
            yield Size(
                max(source.width, ceil(target.width / reached)),
                max(source.height, ceil(target.height / reached)),
            )


def _rounded(side: float) -> int:
    return max(1, round(side))
