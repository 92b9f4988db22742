"""Why a call did not succeed."""

from __future__ import annotations

from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

Detail = TypeVar("Detail", bound=Message)


class UpscaleFailed(Exception):
    """A call did not succeed.

    Attributes:
        code: the gRPC status code.
        message: a sentence for people, usually the server's.
        reason: what the server calls it (``QUOTA_EXCEEDED``), or empty.
        field: of the request, which is to blame, or empty.
        retry_after_s: seconds after which the server expects a new try to succeed, or None.
        final: whether a part of the result was handed over before, so that no try can follow.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        reason: str = "",
        field: str = "",
        retry_after_s: float | None = None,
        final: bool = False,
    ) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.field = field
        self.retry_after_s = retry_after_s
        self.final = final

    @classmethod
    def of(cls, call: grpc.Call, final: bool = False) -> UpscaleFailed:
        """What a call that has ended tells."""
        status = _status(call)
        info = _detail(status, ErrorInfo)
        retry = _detail(status, RetryInfo)
        return cls(
            call.code(),
            call.details() or "no details",
            info.reason if info else "",
            info.metadata.get("field", "") if info else "",
            retry.retry_delay.ToTimedelta().total_seconds() if retry else None,
            final,
        )


def _status(call: grpc.Call) -> Status:
    try:
        return rpc_status.from_call(call) or Status()
    except ValueError:  # Somebody on the way has answered in the server's place.
        return Status()


def _detail(status: Status, kind: type[Detail]) -> Detail | None:
    for packed in status.details:
        message = kind()
        if packed.Unpack(message):
            return message
    return None
