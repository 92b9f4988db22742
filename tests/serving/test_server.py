import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from serving import tune
from serving.client import RetryPolicy, UpscaleFailed, UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import InvalidConfig, UnknownModel
from serving.load.limits import Limits
from serving.rpc.server import UpscalerServer
from serving.server import main
from tests.serving.files import checker, enlarged, read, write_png

SERVICE = "upscaler.v1.UpscalerService"
# Five seconds is the promise; a busy test machine gets three times as much.
READY_S = 15.0


@pytest.fixture
def process(models: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "serving.server", "--port", "0"]
    command += ["--models", str(models), "--default-model", "nearest"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    match = re.fullmatch(rf"Serving {re.escape(SERVICE)} on (127\.0\.0\.1:\d+)\n", line)
    assert match, line
    return match[1]


def health_of(address: str, service: str = "") -> str:
    with grpc.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        status = check(health_pb2.HealthCheckRequest(service=service)).status
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(status))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_is_soon_ready_and_ends_when_told(
    process: subprocess.Popen[str], number: signal.Signals
) -> None:
    started = time.monotonic()
    address = address_of(process)
    assert time.monotonic() - started < READY_S
    assert health_of(address) == "SERVING"
    with UpscalerClient(address) as client:
        assert np.array_equal(
            read(client.upscale(write_png(checker(3))).image), enlarged(checker(3))
        )
    process.send_signal(number)
    assert process.wait(timeout=READY_S) == 0


# The server's command, with a step of the start that takes long.
SLOWLY = """
import sys, time
from serving import server
from serving.rpc import server as parts

def slowly(*_):
    print("starting", flush=True)
    time.sleep(60)

setattr(parts, sys.argv.pop(1), slowly)
sys.exit(server.main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("step", ["setting_for", "try_all"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_it_starts_a_process_survives_a_hang_up_and_ends_when_told(
    step: str, number: signal.Signals
) -> None:
    command = [sys.executable, "-c", SLOWLY, step, "--port", "0", "--concurrency", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "starting\n"
            process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            assert process.poll() is None
            process.send_signal(number)
            assert process.wait(timeout=READY_S) == 0
            assert process.stdout.read() == ""
        finally:
            process.kill()


def test_a_running_call_is_finished_before_the_end(process: subprocess.Popen[str]) -> None:
    address = address_of(process)
    with UpscalerClient(address) as client, ThreadPoolExecutor(1) as executor:
        client.upscale(write_png(checker(3)))
        image = write_png(checker(3, np.uint8, 1100, 1100))
        call = executor.submit(client.upscale, image, model="random")
        time.sleep(1)  # the call has arrived, and takes longer
        process.send_signal(signal.SIGTERM)
        assert call.result().output.width == 4400
    assert process.wait(timeout=READY_S) == 0


def test_while_it_drains_health_says_so_and_new_calls_are_sent_elsewhere(
    process: subprocess.Popen[str],
) -> None:
    address = address_of(process)
    once = RetryPolicy(attempts=1)
    with UpscalerClient(address, once) as client, ThreadPoolExecutor(1) as executor:
        image = write_png(checker(3, np.uint8, 1100, 1100))
        call = executor.submit(client.upscale, image, model="random")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert health_of(address) == "NOT_SERVING"
        assert health_of(address, SERVICE) == "NOT_SERVING"
        with pytest.raises(UpscaleFailed) as caught:
            client.upscale(write_png(checker(3)))
        assert (caught.value.code.name, caught.value.reason) == ("UNAVAILABLE", "SERVER_STOPPING")
        assert caught.value.retry_after_s is not None
        assert not call.done()
        assert call.result().output.width == 4400
    assert process.wait(timeout=READY_S) == 0


def test_a_watcher_of_health_learns_of_the_end_and_does_not_delay_it(
    process: subprocess.Popen[str],
) -> None:
    address = address_of(process)
    with grpc.insecure_channel(address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        told = iter(watch)
        assert next(told).status == health_pb2.HealthCheckResponse.SERVING
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert next(told).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert process.wait(timeout=READY_S) == 0
        assert time.monotonic() - started < 3


def test_reflection_can_be_left_out(models: Path) -> None:
    config = ServerConfig(port=0, models=(models,), default_model="nearest", reflection=False)
    with embedded_server(config) as address, grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
            database.get_services()


def test_health_is_told_overall_and_for_the_service(address: str) -> None:
    assert health_of(address) == "SERVING"
    assert health_of(address, SERVICE) == "SERVING"
    with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
        health_of(address, "other")


def test_reflection_describes_the_service(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert SERVICE in database.get_services()
        service = DescriptorPool(database).FindServiceByName(SERVICE)
    assert [method.name for method in service.methods] == [
        "Upscale",
        "UpscaleStream",
        "ListModels",
        "GetModel",
    ]


def test_health_answers_while_every_worker_is_busy(models: Path) -> None:
    config = ServerConfig(port=0, models=(models,), default_model="random", concurrency=1)
    image = write_png(checker(3, np.uint8, 900, 900))
    with embedded_server(config) as address, UpscalerClient(address) as client:
        with ThreadPoolExecutor(2) as executor:
            calls = [executor.submit(client.upscale, image) for _ in range(2)]
            time.sleep(0.2)
            started = time.monotonic()
            assert health_of(address) == "SERVING"
            assert time.monotonic() - started < 1
            assert not all(call.done() for call in calls)
        assert max(call.result().timings.queue.ToMilliseconds() for call in calls) > 0


def test_a_deadline_ends_the_call(address: str) -> None:
    with UpscalerClient(address) as client, pytest.raises(UpscaleFailed) as caught:
        client.upscale(write_png(checker(3, np.uint8, 400, 400)), timeout_s=0.001)
    assert caught.value.code == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_taken_port_is_refused(config: ServerConfig, address: str) -> None:
    port = int(address.rpartition(":")[2])
    taken = ServerConfig(port=port, models=config.models, default_model="nearest")
    with pytest.raises(InvalidConfig, match="free to listen on"), embedded_server(taken):
        pass


def test_an_unknown_default_model_is_refused(models: Path) -> None:
    with pytest.raises(UnknownModel, match="'x9'"):
        UpscalerServer(ServerConfig(models=(models,), default_model="x9"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", -1),
        ("port", 65536),
        ("workers", 0),
        ("concurrency", 0),
        ("threads", 0),
        ("tile", 15),
        ("grace_s", float("nan")),
    ],
)
def test_settings_out_of_range_name_what_is_allowed(field: str, value: float) -> None:
    with pytest.raises(InvalidConfig, match=rf"^{field} is {value}; expected \d+ to \d+$"):
        ServerConfig(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_input_pixels", 0), ("max_message_mib", 2048), ("max_call_s", 0), ("max_calls", 0)],
)
def test_limits_out_of_range_name_what_is_allowed(field: str, value: int) -> None:
    with pytest.raises(InvalidConfig, match=rf"^{field} is {value}; expected [\d.]+ to \d+$"):
        Limits(**{field: value})


def test_a_wrong_setting_on_the_command_line_is_one_line() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "serving.server", "--port", "70000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: port is 70000; expected 0 to 65535\n"


def test_of_several_processes_the_settings_of_each_are_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tune, "tuned", lambda *_: pytest.fail("a worker measures nothing"))
    assert main(["--check-config", "--workers", "2"]) == 0
    assert capsys.readouterr().out == "The settings are fine.\n"


def test_settings_are_checked_without_serving(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "server.toml"
    path.write_text(f'models = ["{models}"]\ndefault_model = "nearest"\n')
    assert main(["--check-config", "--config", str(path)]) == 0
    assert capsys.readouterr().out == "The settings are fine.\n"
    (tmp_path / "broken.onnx").write_bytes(b"nonsense")
    path.write_text(f'models = ["{models}", "{tmp_path}"]\ndefault_model = "nearest"\n')
    assert main(["--check-config", "--config", str(path)]) == 2
    assert "broken.onnx is unreadable" in capsys.readouterr().err
    path.write_text('host = "192.0.2.1"\ninsecure = true\n')
    assert main(["--check-config", "--config", str(path)]) == 2
    assert "host is 192.0.2.1; expected an address of this machine" in capsys.readouterr().err
    path.write_text(f'models = ["{models}"]\ndefault_model = "none"\n')
    assert main(["--check-config", "--config", str(path)]) == 2
    assert "model is 'none'; expected one of" in capsys.readouterr().err
