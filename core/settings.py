"""What all settings have in common: their numbers are finite."""

import dataclasses
import math
from typing import Any

from core.command import UserError, option

__all__ = ["require_finite"]


def require_finite(config: Any) -> None:
    """Refuse settings that hold a number without an end, which the command line can spell.

    Args:
        config: a dataclass.

    Raises:
        UserError: if a number, or one of several, is infinite or no number; it names the option.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        numbers = value if isinstance(value, tuple) else (value,)
        if not all(math.isfinite(number) for number in numbers if isinstance(number, float)):
            raise UserError(f"{option(field.name)} must be finite, not {value}")
