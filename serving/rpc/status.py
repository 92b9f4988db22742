"""What an error is called in gRPC: a code, the sentence, and details that programs can read.

The details are those of ``google.rpc`` (googleapis, ``error_details.proto``).
"""

import re
from collections.abc import Iterable, Iterator

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, QuotaFailure, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from serving.errors import (
    FileTooLarge,
    ImageTooLarge,
    InvalidImage,
    InvalidOption,
    InvalidRequest,
    MessageTooLarge,
    QuotaExceeded,
    ResultTooLarge,
    ServerBusy,
    ServerStopping,
    ServingError,
    TimeLimitExceeded,
    Unauthenticated,
    UnknownMethod,
    UnknownModel,
    UnusableModel,
)

DOMAIN = "upscaler.v1"
_LONGEST = 600
_INTERNAL = "INTERNAL"
# The key of the trailing metadata that carries the details.
DETAILS_KEY = "grpc-status-details-bin"

_CODES: dict[type[Exception], grpc.StatusCode] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownMethod: grpc.StatusCode.UNIMPLEMENTED,
    MessageTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    InvalidImage: grpc.StatusCode.INVALID_ARGUMENT,
    ImageTooLarge: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidOption: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownModel: grpc.StatusCode.NOT_FOUND,
    UnusableModel: grpc.StatusCode.FAILED_PRECONDITION,
    FileTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ResultTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ServerBusy: grpc.StatusCode.RESOURCE_EXHAUSTED,
    QuotaExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    TimeLimitExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    ServerStopping: grpc.StatusCode.UNAVAILABLE,
}
_BLAMES_A_FIELD = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)


def status_of(error: ServingError) -> Status | None:
    """The status that tells of `error`, or None where it is not for the caller to see."""
    code = _CODES.get(type(error))
    return None if code is None else _status(code, str(error), _details(error, code))


def internal_status(request_id: str) -> Status:
    """The status of a call that failed by a fault of ours, which the log has under `request_id`."""
    return _status(
        grpc.StatusCode.INTERNAL,
        f"the server failed; its log has request {request_id}",
        [ErrorInfo(reason=_INTERNAL, domain=DOMAIN), RequestInfo(request_id=request_id)],
    )


def reason_of(error: Exception) -> str:
    """What an error is called in :class:`ErrorInfo` (``SERVER_BUSY``); INTERNAL if it is ours."""
    if type(error) not in _CODES:
        return _INTERNAL
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).upper()


def _details(error: ServingError, code: grpc.StatusCode) -> Iterator[Message]:
    yield ErrorInfo(reason=reason_of(error), domain=DOMAIN, metadata={"field": error.field})
    sentence = _bounded(str(error))
    if code in _BLAMES_A_FIELD:
        field = BadRequest.FieldViolation(field=error.field, description=sentence)
        yield BadRequest(field_violations=[field])
    if isinstance(error, QuotaExceeded):
        quota = QuotaFailure.Violation(subject=error.field, description=sentence)
        yield QuotaFailure(violations=[quota])
    if isinstance(error, ServerBusy | QuotaExceeded):
        delay = Duration()
        delay.FromMilliseconds(round(1000 * error.retry_after_s))
        yield RetryInfo(retry_delay=delay)


def _bounded(sentence: str) -> str:
    """A sentence may quote what the caller sent; more than a few KiB would not reach it."""
    return sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]}..."


def _status(code: grpc.StatusCode, sentence: str, details: Iterable[Message]) -> Status:
    status = Status(code=code.value[0], message=_bounded(sentence))
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status
