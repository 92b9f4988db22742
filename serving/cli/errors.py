"""What ends the command, and by which code."""

from collections.abc import Iterable

import grpc

from serving.client import UpscaleFailed
from serving.errors import ServingError
from serving.service import TOKEN_VARIABLE

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
    if not isinstance(error, UpscaleFailed):
        return str(error)
    if error.code is grpc.StatusCode.UNAUTHENTICATED:
        return f"{error.message}, in the environment variable {TOKEN_VARIABLE}"
    if error.code is grpc.StatusCode.UNAVAILABLE and not error.reason:  # no server of ours spoke
        return f"the server cannot be reached: {error.message}"
    if error.code is grpc.StatusCode.DEADLINE_EXCEEDED and not error.reason:  # we did not wait
        return "the result took longer than the option --timeout-s allows"
    return error.message
