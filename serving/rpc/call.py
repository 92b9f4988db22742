"""One call, as those see it who stand around it: guards, the log and the metrics."""

import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import uuid4

import grpc

from serving.priority import Priority
from serving.stages import Stages

REQUEST_ID_KEY = "x-request-id"
_PAIR_BYTES = 32
_ACCEPTABLE_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


@dataclass
class Call:
    """A call under way.

    Attributes:
        method: its path (``/upscaler.v1.UpscalerService/Upscale``).
        metadata: what the client sent along; a key that comes twice has its last value.
        metadata_bytes: of all of it, as HTTP/2 counts (RFC 9113, section 6.5.2).
        address: the client's, without the port.
        request_id: the client's (``x-request-id``), or one that was made up.
        client: who calls, for limits and the log.
        code: how it ended.
        reason: why, if it failed (``SERVER_BUSY``).
        notes: what else the log shall have; nothing of a picture's content.
        top_priority: the highest that the client may ask for.
        max_calls: that the client may have under way, or None for what all may.
        stages: where the time went, once there is a picture.
    """

    method: str
    metadata: dict[str, str | bytes]
    address: str
    request_id: str
    client: str
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    notes: dict[str, object] = field(default_factory=dict)
    top_priority: Priority = Priority.HIGH
    max_calls: int | None = None
    metadata_bytes: int = 0
    stages: Stages | None = None
    _started: float = field(default_factory=monotonic)

    @classmethod
    def of(cls, context: Any, method: str) -> "Call":
        """The call that a servicer's context belongs to."""
        pairs = tuple(context.invocation_metadata() or ())
        metadata = dict(pairs)
        kind, _, rest = str(context.peer()).partition(":")
        address = rest.rpartition(":")[0] if kind in ("ipv4", "ipv6") else kind
        given = str(metadata.get(REQUEST_ID_KEY, ""))
        request_id = given if _ACCEPTABLE_ID.fullmatch(given) else uuid4().hex
        size = sum(len(key) + len(value) + _PAIR_BYTES for key, value in pairs)
        return cls(method, metadata, address, request_id, client=address, metadata_bytes=size)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return monotonic() - self._started


current_call: ContextVar[Call] = ContextVar("current_call")
