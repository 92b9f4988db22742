"""Reads the details of a refusal."""

from typing import TypeVar, cast

import grpc
from google.protobuf.message import Message
from grpc_status import rpc_status

Detail = TypeVar("Detail", bound=Message)


def detail(error: grpc.RpcError, kind: type[Detail]) -> Detail:
    """The one detail of this kind."""
    status = rpc_status.from_call(cast(grpc.Call, error))
    assert status is not None
    (packed,) = [packed for packed in status.details if packed.Is(kind.DESCRIPTOR)]
    found = kind()
    packed.Unpack(found)
    return found
