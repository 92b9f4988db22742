"""How the values of options are called in the help, and what is said of one that does not fit."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

# What is expected of each kind of value, where not every word is one.
_EXPECTED: Mapping[type, str] = {int: "a whole number", float: "a number", str: "", Path: ""}

VALUES = ConstructorRegistry()
"""To parse within: an option that may be left out has the values of its type, and None by that."""


@VALUES.primitive_rule
def _plain(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    kind = _without_none(info.type)
    if get_origin(kind) is Literal and kind is not info.type:
        return _spec(str, "{" + ",".join(get_args(kind)) + "}", get_args(kind))
    return _spec(kind, kind.__name__.upper()) if kind in _EXPECTED else None


def _without_none(kind: Any) -> Any:
    """The type that is None or something else by its declaration; others as they are."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    others = [each for each in get_args(kind) if each is not NoneType]
    return others[0] if len(others) == 1 else kind


def _spec(
    kind: type, metavar: str, choices: tuple[str, ...] | None = None
) -> PrimitiveConstructorSpec[Any]:
    def value(words: Sequence[str]) -> Any:
        try:
            return kind(words[0])
        except ValueError:
            raise ValueError(f"it is {words[0]!r}; expected {_EXPECTED[kind]}") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=value,
        is_instance=lambda value: value is None or isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
        choices=choices,
    )
