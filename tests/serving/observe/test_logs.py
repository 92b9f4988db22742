import json
import logging
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import grpc
import pytest
import trustme

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


def test_stderr_has_json_lines_only_whatever_comes_from_the_network(
    models: Path, tmp_path: Path
) -> None:
    tls = [f"--tls-{kind}={path}" for kind, path in issued(tmp_path).items()]
    command = [sys.executable, "-m", "serving.server", "--port", "0", "--log-format", "json"]
    command += ["--models", str(models), "--default-model", "nearest", *tls]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout
        port = int(process.stdout.readline().rpartition(":")[2])
        with closing(socket.create_connection(("127.0.0.1", port))) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            connection.recv(1000)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            list_models = upscaler_pb2_grpc.UpscalerServiceStub(channel).ListModels
            with pytest.raises(grpc.RpcError):
                list_models(upscaler_pb2.ListModelsRequest(), timeout=2)
        process.terminate()
        assert process.wait(timeout=20) == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line for line in lines if not line.startswith("{")] == []


def issued(folder: Path) -> dict[str, Path]:
    """A certificate and its key."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    files = {"certificate": folder / "server.crt", "key": folder / "server.key"}
    certificate.cert_chain_pems[0].write_to_path(str(files["certificate"]))
    certificate.private_key_pem.write_to_path(str(files["key"]))
    return files


@pytest.mark.parametrize(
    "wrong",
    [
        ["--port", "70000"],
        ["--prot", "1"],
        ["--default-model", "none"],
        ["--workers", "2", "--models", "nowhere"],
    ],
)
@pytest.mark.parametrize("by", ["option", "environment"])
def test_why_a_server_does_not_start_is_a_json_line(wrong: list[str], by: str) -> None:
    command = [sys.executable, "-m", "serving.server", "--port", "0", *wrong]
    if by == "option":
        command += ["--log-format", "json"]
    variables = {"UPSCALER_LOG_FORMAT": "json"} if by == "environment" else {}
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    assert result.returncode == 2
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert {line["level"] for line in lines} == {"error"}
    assert any("; expected " in line["message"] for line in lines)


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
