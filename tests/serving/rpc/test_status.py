import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from serving import errors
from serving.rpc.status import internal_status, status_of


def details(status: Status | None) -> dict[type[Message], Message]:
    assert status is not None
    found: dict[type[Message], Message] = {}
    for kind in (BadRequest, ErrorInfo, RequestInfo, RetryInfo):
        for packed in status.details:
            message = kind()
            if packed.Unpack(message):
                found[kind] = message
    return found


def test_a_wrong_field_is_named() -> None:
    error = errors.InvalidOption("options.quality", 101, "1 to 100")
    status = status_of(error)
    found = details(status)
    assert status is not None
    assert (status.code, status.message) == (3, "options.quality is 101; expected 1 to 100")
    assert found.keys() == {ErrorInfo, BadRequest}
    (violation,) = found[BadRequest].field_violations  # type: ignore[attr-defined]
    assert (violation.field, violation.description) == ("options.quality", str(error))
    assert found[ErrorInfo] == ErrorInfo(
        reason="INVALID_OPTION", domain="upscaler.v1", metadata={"field": "options.quality"}
    )


def test_a_busy_server_tells_when_to_come_back() -> None:
    found = details(status_of(errors.ServerBusy("queue", "full", "a new try", retry_after_s=2.5)))
    assert found.keys() == {ErrorInfo, RetryInfo}
    assert found[RetryInfo].retry_delay.ToMilliseconds() == 2500  # type: ignore[attr-defined]


def test_a_sentence_fits_into_metadata() -> None:
    status = status_of(errors.UnknownModel("model", "\u00fc" * 10_000, "one of: a"))
    assert status is not None
    assert len(status.SerializeToString()) < 4096


def test_what_no_caller_did_is_not_told() -> None:
    assert status_of(errors.InvalidModel("secret", "broken", "a model")) is None
    status = internal_status("abc")
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert details(status)[RequestInfo] == RequestInfo(request_id="abc")


ERRORS = [
    kind
    for kind in errors.ServingError.__subclasses__()
    if kind.__module__ == errors.__name__  # what a command refuses never gets to a server
]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_is_for_the_caller_or_for_the_operator(
    kind: type[errors.ServingError],
) -> None:
    for_the_operator = kind in (errors.InvalidModel, errors.InvalidConfig)
    assert (status_of(kind("field", "value", "another")) is None) == for_the_operator
