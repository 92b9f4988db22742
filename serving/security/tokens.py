"""Bearer tokens (RFC 6750), of which the server knows only the digests.

The file is TOML, with a table for each token::

    [[tokens]]
    name = "shop"
    sha256 = "..."            # of the token: printf %s "$TOKEN" | sha256sum
    max_calls = 8             # at a time; optional
    calls_per_minute = 120    # optional
    priority = "high"         # the highest that it may ask for; "normal" if it is not told

A token is random and long, so that its plain digest tells nothing.
"""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

from serving.errors import InvalidConfig, Unauthenticated
from serving.load.clients import ClientLimit
from serving.load.rate import Rate
from serving.priority import Priority
from serving.security.files import Watched

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SCHEME = "bearer "
_UNLIMITED = 2**31


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is let in.

    Attributes:
        name: of whoever holds it, for limits and the log.
        sha256: of the token, in hexadecimal.
        max_calls: that may be under way at a time, or None for no limit of its own.
        calls_per_minute: on average, or None for no limit.
        priority: the highest that it may ask for.
    """

    name: str
    sha256: str
    max_calls: int | None = None
    calls_per_minute: float | None = None
    priority: Priority = Priority.NORMAL


class Tokens:
    """The tokens of a file, read again when it changes; for one thread.

    Args:
        path: of the file.

    Raises:
        InvalidConfig: it cannot be read, or is not as it should be.
    """

    def __init__(self, path: Path) -> None:
        self._file = Watched("tokens", [path], partial(read_tokens, path))
        self._calls = ClientLimit(_UNLIMITED)
        self._rates: dict[Token, Rate] = {}

    def check(self, authorization: str | bytes | None) -> Token:
        """The token that a call's ``authorization`` shows.

        Raises:
            Unauthenticated: it shows none, or one that is not known.
        """
        self._file.renewed()
        shown = authorization if isinstance(authorization, str) else ""
        if not shown.lower().startswith(_SCHEME):
            raise Unauthenticated("authorization", "missing", "a bearer token")
        digest = sha256(shown[len(_SCHEME) :].strip().encode()).hexdigest()
        # All are compared, whichever fits: the time tells nothing.
        matching = [token for token in self._file.content if compare_digest(token.sha256, digest)]
        if not matching:
            raise Unauthenticated("authorization", "an unknown token", "a token that is known")
        return matching[0]

    @contextmanager
    def used(self, token: Token) -> Iterator[None]:
        """A call with this token, for as long as the context lasts.

        Raises:
            QuotaExceeded: there are too many.
        """
        with self._calls.call(token.name, token.max_calls):
            if token.calls_per_minute is not None:
                rate = self._rates.setdefault(token, Rate(token.calls_per_minute))
                rate.take(token.name)
            yield


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Reads a file of tokens.

    Raises:
        InvalidConfig: it cannot be read, or is not as it should be.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidConfig(
            "token_file", f"{str(path)!r} ({error})", "a readable TOML file"
        ) from error
    tables = content.get("tokens")
    if set(content) != {"tokens"} or not isinstance(tables, list) or not tables:
        raise InvalidConfig("token_file", f"{str(path)!r}", "[[tokens]] tables, and nothing else")
    tokens = tuple(_token(f"{path}: tokens[{index}]", table) for index, table in enumerate(tables))
    if len({token.name for token in tokens}) < len(tokens):
        raise InvalidConfig("token_file", f"{str(path)!r}", "another name for each token")
    return tokens


def _token(where: str, table: Any) -> Token:
    if not isinstance(table, dict):
        raise InvalidConfig(where, repr(table), "a [[tokens]] table")
    names = [field.name for field in fields(Token)]
    for given in table:
        if given not in names:
            raise InvalidConfig(f"{where}.{given}", "unknown", f"one of {', '.join(names)}")

    def check(name: str, fits: bool, allowed: str) -> None:
        if not fits:
            raise InvalidConfig(f"{where}.{name}", repr(table.get(name)), allowed)

    name, digest = table.get("name"), table.get("sha256")
    check("name", isinstance(name, str) and bool(name), "a name")
    check(
        "sha256",
        isinstance(digest, str) and bool(_DIGEST.fullmatch(digest)),
        "64 hexadecimal digits in lower case",
    )
    calls, rate = table.get("max_calls", 1), table.get("calls_per_minute", 1)
    check("max_calls", _is_number(calls, int) and calls > 0, "a whole number of at least 1")
    check("calls_per_minute", _is_number(rate, int, float) and rate > 0, "a number above 0")
    names = [each.name.lower() for each in Priority]
    priority = table.get("priority", Priority.NORMAL.name.lower())
    check("priority", priority in names, f"one of {', '.join(names)}")
    return Token(**table | {"priority": Priority[priority.upper()]})


def _is_number(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)
