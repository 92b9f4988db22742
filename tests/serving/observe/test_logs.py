import json
import logging
import sys

import grpc
import pytest

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.client import UpscalerClient
from serving.observe.logs import JsonLines, TextLines, log_call
from serving.rpc.call import Call
from tests.serving.files import checker, write_png


@pytest.fixture
def record(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    call = Call("/a/B", {}, "127.0.0.1", "id-1", "shop", grpc.StatusCode.NOT_FOUND, "UNKNOWN_MODEL")
    call.notes["model"] = "x4"
    with caplog.at_level(logging.INFO, "serving.calls"):
        log_call(call)
    return caplog.records[0]


def test_a_call_is_one_json_object(record: logging.LogRecord) -> None:
    line = json.loads(JsonLines().format(record))
    assert line.pop("seconds") >= 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "serving.calls",
        "message": "/a/B NOT_FOUND",
        "request_id": "id-1",
        "method": "/a/B",
        "client": "shop",
        "address": "127.0.0.1",
        "code": "NOT_FOUND",
        "reason": "UNKNOWN_MODEL",
        "model": "x4",
    }


def test_a_call_is_one_line_for_people(record: logging.LogRecord) -> None:
    line = TextLines().format(record)
    assert "INFO serving.calls: /a/B NOT_FOUND request_id=id-1 client=shop" in line
    assert "\n" not in line


def test_an_exception_stays_in_its_line() -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        information = sys.exc_info()
    record = logging.LogRecord("a", logging.ERROR, "", 0, "failed\nhere", (), information)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_the_log_knows_the_picture_by_its_size_only(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "serving.calls"), UpscalerClient(address) as client:
        client.upscale(write_png(checker(3)))
        client.models()  # By then the call before has ended.
    record = caplog.records[0]
    fields = record.fields  # type: ignore[attr-defined]
    assert (fields["code"], fields["model"]) == ("OK", "nearest")
    assert (fields["input"], fields["output"]) == ("PNG 9x6x3", "PNG 36x24x3")
    assert len(JsonLines().format(record)) < 500


@pytest.mark.parametrize(
    ("given", "kept"), [("order-7.b_2", True), ("a" * 65, False), ("a b", False), ("", False)]
)
def test_a_client_may_name_its_request(
    address: str, caplog: pytest.LogCaptureFixture, given: str, kept: bool
) -> None:
    with (
        caplog.at_level(logging.INFO, "serving.calls"),
        grpc.insecure_channel(address) as channel,
    ):
        method = upscaler_pb2_grpc.UpscalerServiceStub(channel).ListModels
        request = upscaler_pb2.ListModelsRequest()
        _, call = method.with_call(request, metadata=(("x-request-id", given),))
        told = dict(call.trailing_metadata())["x-request-id"]
    assert (told == given) == kept
    assert len(told) >= 10
    assert [record.fields["request_id"] for record in caplog.records] == [told]  # type: ignore[attr-defined]
