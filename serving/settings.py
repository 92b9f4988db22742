"""A program's settings from a file, the environment and the command line, in that order.

All three name a setting alike: ``max_calls = 8`` in the TOML file, ``UPSCALER_MAX_CALLS=8`` in the
environment, ``--max-calls 8``. What comes later wins. All are read as the command line is.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TypeVar

import tyro

from serving.errors import InvalidConfig

PREFIX = "UPSCALER_"
# Options are called by the settings alone, whatever group they are in.
_PLAIN = (tyro.conf.OmitArgPrefixes,)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}

Settings = TypeVar("Settings")


def from_file(settings: Settings, path: Path) -> Settings:
    """The settings, with those of a TOML file in their place.

    Raises:
        InvalidConfig: the file cannot be read, or has a setting that does not exist or fit.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidConfig("config", f"{str(path)!r} ({error})", "a readable TOML file") from error
    known = dict(_values(settings))
    for name in values:
        if name not in known:
            raise InvalidConfig(f"{path}: {name}", "unknown", f"one of {', '.join(known)}")
    words = {
        name: [str(item) for item in value] if isinstance(value, list) else [str(value)]
        for name, value in values.items()
    }
    return _replaced(settings, words, str(path))


def from_environment(settings: Settings, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, with those of the environment in their place; lists are split at spaces.

    Raises:
        InvalidConfig: a variable does not fit.
    """
    words = {
        name: environment[variable].split()
        for name, _ in _values(settings)
        if (variable := f"{PREFIX}{name.upper()}") in environment
    }
    return _replaced(settings, words, "environment")


def from_command_line(settings: Settings, arguments: Sequence[str]) -> Settings:
    """The settings, with those of the command line in their place; exits where one does not fit.

    Raises:
        InvalidConfig: a value is out of its range.
    """
    return tyro.cli(type(settings), args=arguments, default=settings, config=_PLAIN)


def _values(settings: object) -> Iterator[tuple[str, object]]:
    """All settings by name, those of groups inside included."""
    assert is_dataclass(settings)
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            yield from _values(value)
        else:
            yield field.name, value


def _replaced(settings: Settings, words: Mapping[str, Sequence[str]], source: str) -> Settings:
    known = dict(_values(settings))
    options = {name: _option(name, known[name], given) for name, given in words.items()}
    try:
        return _parsed(settings, [word for option in options.values() for word in option])
    except SystemExit:
        for name, option in options.items():
            try:
                _parsed(settings, option)
            except (SystemExit, InvalidConfig):
                raise InvalidConfig(
                    f"{source}: {name}", repr(" ".join(words[name])), "what --help tells"
                ) from None
        raise


def _option(name: str, value: object, given: Sequence[str]) -> list[str]:
    option = name.replace("_", "-")
    if isinstance(value, bool):
        flag = _FLAGS.get(" ".join(given).lower())
        if flag is not None:
            return [f"--{option}" if flag else f"--no-{option}"]
    return [f"--{option}", *given]


def _parsed(settings: Settings, arguments: Sequence[str]) -> Settings:
    return tyro.cli(
        type(settings), args=arguments, default=settings, config=_PLAIN, console_outputs=False
    )
