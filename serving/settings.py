"""A program's settings from a file, the environment and the command line.

All three name a setting alike: ``max_calls = 8`` in the TOML file, ``UPSCALER_MAX_CALLS=8`` in the
environment, ``--max-calls 8``. Of each setting the last one counts. They are put together first and
judged afterwards: what the file begins, such as a certificate without its key, a flag may complete.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass, is_dataclass
from difflib import get_close_matches
from io import StringIO
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import tyro

from serving.errors import InvalidConfig
from serving.kinds import kind_of, said

PREFIX = "UPSCALER_"
# Variables that are no settings of the server: of which file, whose token, the health check's own.
OTHERS = ("CONFIG", "TOKEN", "HEALTH_CERTIFICATE", "HEALTH_KEY")
# Options are called by the settings alone, whatever group they are in.
_PLAIN = (tyro.conf.OmitArgPrefixes,)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Source:
    """What one place says, not judged yet.

    Attributes:
        name: of the place, for errors.
        words: of each setting, as the command line would have them.
    """

    name: str
    words: Mapping[str, Sequence[str]]


def read_file(path: Path) -> dict[str, Any]:
    """What a TOML file says, whatever that is.

    Raises:
        InvalidConfig: it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidConfig("config", f"{str(path)!r} ({error})", "a readable TOML file") from error


def of_file(settings: object, path: Path) -> Source:
    """The settings of a TOML file, each of the type that it has.

    Raises:
        InvalidConfig: the file cannot be read, or has a setting that does not exist or fit.
    """
    values, hints = read_file(path), dict(_hints(type(settings)))
    for name, value in values.items():
        if name not in hints:
            raise InvalidConfig(f"{path}: {name}", "unknown", f"one of {', '.join(hints)}")
        allowed = kind_of(value, hints[name])
        if allowed:
            raise InvalidConfig(f"{path}: {name}", said(value), allowed)
    words = {
        name: [str(item) for item in value] if isinstance(value, list) else [str(value)]
        for name, value in values.items()
    }
    return Source(str(path), words)


def of_environment(settings: object, environment: Mapping[str, str] = os.environ) -> Source:
    """The settings of the environment; those that are lists are split at spaces.

    Raises:
        InvalidConfig: a variable is called like a setting, but there is none of that name, or it
            is one that is on or off and says neither.
    """
    hints = {name.upper(): (name, hint) for name, hint in _hints(type(settings))}
    words = {}
    for variable, text in environment.items():
        called = variable.removeprefix(PREFIX)
        if called == variable or called in OTHERS:
            continue
        if called not in hints:
            (nearest,) = get_close_matches(called.upper(), [*hints, *OTHERS], 1, cutoff=0)
            raise InvalidConfig(variable, "unknown", f"a setting, perhaps {PREFIX}{nearest}")
        name, hint = hints[called]
        if hint is bool and text.lower() not in _FLAGS:
            raise InvalidConfig(variable, repr(text), "true or false")
        words[name] = text.split() if get_origin(hint) is tuple else [text] * bool(text)
    return Source("environment", words)


def merged(
    settings: Settings, sources: Iterable[Source] = (), arguments: Sequence[str] = ()
) -> Settings:
    """The settings with those of all sources in their place, the command line's last.

    Exits where the command line cannot be understood, or asks for help.

    Raises:
        InvalidConfig: a value does not fit, or the settings do not fit together.
    """
    said_by = {name: source for source in sources for name in source.words}
    hints = dict(_hints(type(settings)))
    options = {
        name: _option(name, hints[name], source.words[name]) for name, source in said_by.items()
    }
    words = [word for option in options.values() for word in option]
    try:
        return _parsed(settings, [*words, *arguments], quietly=True)
    except InvalidConfig as error:
        source = said_by.get(error.field)
        if source is None or any(_names(word, error.field) for word in arguments):
            raise
        raise InvalidConfig(f"{source.name}: {error.field}", error.value, error.allowed) from None
    except SystemExit:
        for name, option in options.items():
            _check_alone(settings, f"{said_by[name].name}: {name}", option, said_by[name])
        return _parsed(settings, [*words, *arguments], quietly=False)


@contextmanager
def refusing() -> Iterator[None]:
    """Refuses a command line that cannot be understood, instead of a box of text and an exit.

    Raises:
        InvalidConfig: it cannot; the value is the gist of the box.
    """
    told = StringIO()
    try:
        with redirect_stderr(told):
            yield
    except SystemExit as end:
        if not end.code:  # Help was asked for.
            raise
        raise InvalidConfig(
            "command line", f"refused ({_gist(told.getvalue())})", "what --help tells"
        ) from None


def _gist(box: str) -> str:
    """What stands in a box between its title and the next rule, which may be drawn in ASCII."""

    def is_rule(line: str) -> bool:
        return not line.strip("─-")

    lines = [line.strip("│╭╰╮╯ ") for line in box.splitlines()]
    return " ".join(takewhile(lambda line: not is_rule(line), dropwhile(is_rule, lines[1:])))


def _check_alone(settings: object, name: str, option: Sequence[str], source: Source) -> None:
    try:
        _parsed(settings, option, quietly=True)
    except InvalidConfig:
        return  # Others may complete it.
    except SystemExit:
        given = " ".join(source.words[name.rpartition(": ")[2]])
        raise InvalidConfig(name, repr(given), "what --help tells") from None


def _names(word: str, field: str) -> bool:
    """Whether a word of the command line is a setting's option."""
    option = field.replace("_", "-")
    return word.partition("=")[0].replace("_", "-") in (f"--{option}", f"--no-{option}")


def _hints(kind: type) -> Iterator[tuple[str, Any]]:
    """The types of all settings by name, those of groups inside included."""
    for name, hint in get_type_hints(kind).items():
        if is_dataclass(hint):
            assert isinstance(hint, type)
            yield from _hints(hint)
        else:
            yield name, hint


def _option(name: str, hint: Any, given: Sequence[str]) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    flag = _FLAGS.get(" ".join(given).lower())
    if flag is not None and hint is bool:
        return [option if flag else f"--no-{name.replace('_', '-')}"]
    if flag is not None and bool in get_args(hint):
        return [option, str(flag)]
    # A single value may begin with a dash.
    return [f"{option}={given[0]}"] if len(given) == 1 else [option, *given]


def _parsed(settings: Settings, arguments: Sequence[str], quietly: bool) -> Settings:
    # Some of what is wrong it tells even if it is not to.
    with redirect_stderr(StringIO()) if quietly else nullcontext():
        return tyro.cli(
            type(settings),
            args=arguments,
            default=settings,
            config=_PLAIN,
            console_outputs=not quietly,
        )
