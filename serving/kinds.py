"""Whether a value of a TOML file has the type that a setting is declared with."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

_PLAIN: dict[object, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a text in quotes"),
    Path: ((str,), "a path in quotes"),
}


def kind_of(value: object, hint: Any) -> str:
    """What a setting allows that a value is not; empty where it fits.

    Args:
        value: as TOML has it.
        hint: the setting's declared type: a plain one, a ``Literal``, a ``tuple`` of any length, or
            one of these or None.
    """
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return kind_of(value, next(each for each in inside if each is not NoneType))
    if origin is tuple:
        _, allowed = _PLAIN[inside[0]]
        fits = isinstance(value, list) and not any(kind_of(item, inside[0]) for item in value)
        return "" if fits else f"a list, each item {allowed}"
    if origin is Literal:
        return "" if isinstance(value, str) else f"one of {', '.join(map(repr, inside))}"
    kinds, allowed = _PLAIN[hint]
    if isinstance(value, bool):  # Python takes true for 1.
        return "" if hint is bool else allowed
    return "" if isinstance(value, kinds) else allowed


def said(value: object) -> str:
    """A value as a TOML file writes it, nearly."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
