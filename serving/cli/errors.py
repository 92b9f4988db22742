"""What ends the command, and by which code."""

from collections.abc import Iterable

import grpc

from serving.client import UpscaleFailed
from serving.errors import ServingError

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

_WRONG_USE_CODES = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)


class WrongUse(ServingError):
    """The arguments cannot be carried out."""


def exit_code(error: ServingError | UpscaleFailed | OSError) -> int:
    """2 where whoever called can mend the cause, 1 where the machine or the server failed."""
    match error:
        case UpscaleFailed():
            return WRONG_USE if error.code in _WRONG_USE_CODES else FAILED
        case OSError():
            return FAILED
        case _:
            return WRONG_USE


def worst(codes: Iterable[int]) -> int:
    """The exit code of several pictures together: what failed without the caller's doing counts."""
    return min((code for code in codes if code != OK), default=OK)


def sentence(error: ServingError | UpscaleFailed | OSError) -> str:
    """What is wrong, for people."""
    return error.message if isinstance(error, UpscaleFailed) else str(error)
