"""Several processes share the port; one that dies is replaced."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from serving.client import UpscalerClient
from serving.supervisor import pause_after
from tests.serving.files import checker, enlarged, read_png, write_png

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PIXELS = checker(3)
WAIT_S = 20.0


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def metrics_port() -> int:
    return free_port()


@pytest.fixture
def process(models: Path, metrics_port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "serving.server", "--port", "0", "--workers", "2"]
    command += ["--models", str(models), "--default-model", "nearest"]
    command += ["--metrics-port", str(metrics_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    match = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
    assert match
    return match[0]


def until(holds: Callable[[], bool]) -> None:
    """Waits for it."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def workers_of(process: subprocess.Popen[str]) -> set[int]:
    """The processes that serve, among the children."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return {
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    }


def upscaled(address: str) -> bool:
    with UpscalerClient(address) as client:
        result = client.upscale(write_png(PIXELS)).image
    return np.array_equal(read_png(result), enlarged(PIXELS))


def test_a_dead_worker_is_replaced_and_all_end_together(
    process: subprocess.Popen[str], metrics_port: int
) -> None:
    address = address_of(process)
    workers = workers_of(process)
    assert len(workers) == 2
    assert all(upscaled(address) for _ in range(4))
    with urlopen(f"http://127.0.0.1:{metrics_port}/metrics") as answer:
        metrics = answer.read().decode()
    counted = re.findall(r"upscaler_pixels_total{.*side=\"in\"} (\S+)", metrics)
    memory = re.findall(r"process_resident_memory_bytes{pid=\"(\d+)\"} (\S+)", metrics)
    assert workers <= {int(pid) for pid, size in memory if float(size) > 2**20}
    assert sum(map(float, counted)) == 4 * PIXELS.shape[0] * PIXELS.shape[1]

    time.sleep(1.5)  # One that dies young is not replaced at once.
    victim = min(workers)
    os.kill(victim, signal.SIGKILL)
    assert all(upscaled(address) for _ in range(4))
    end = time.monotonic() + WAIT_S
    while len(workers_of(process) - {victim}) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    replaced = workers_of(process) - {victim}
    assert len(replaced) == 2
    assert replaced & workers

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=WAIT_S) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in replaced)


def test_a_worker_that_cannot_be_replaced_is_tried_again_and_ends_no_other(
    models: Path, tmp_path: Path
) -> None:
    path = tmp_path / "nearest.onnx"
    shutil.copy(models / "nearest.onnx", path)
    command = [sys.executable, "-m", "serving.server", "--port", "0", "--workers", "2"]
    command += ["--models", str(path), "--default-model", "nearest"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            address = address_of(process)
            good = path.read_bytes()
            path.write_bytes(b"bad")
            victim, survivor = sorted(workers_of(process))
            os.kill(victim, signal.SIGKILL)
            until(lambda: "could not start; the others go on" in (tmp_path / "log").read_text())
            assert survivor in workers_of(process)
            assert process.poll() is None
            with UpscalerClient(address) as client:
                assert client.models().models

            path.write_bytes(good)
            until(lambda: all(upscaled(address) for _ in range(4)))
            until(lambda: len(workers_of(process)) == 2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=WAIT_S) == 0
        finally:
            process.kill()


def test_pauses_between_tries_double_up_to_a_minute() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3, 6, 7, 5000)] == [2, 4, 8, 60, 60, 60]


def test_a_second_server_is_told_that_the_port_is_taken(process: subprocess.Popen[str]) -> None:
    port = address_of(process).rpartition(":")[2]
    command = [sys.executable, "-m", "serving.server", "--workers", "2", "--port", port]
    second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S)
    assert second.returncode == 2
    assert f"host and port is 127.0.0.1:{port}; expected an address that is free" in second.stderr
    assert upscaled(f"127.0.0.1:{port}")


def test_while_they_start_workers_survive_a_hang_up(process: subprocess.Popen[str]) -> None:
    until(lambda: len(workers_of(process)) == 2)
    workers = workers_of(process)
    for _ in range(5):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
    assert upscaled(address_of(process))
    assert workers_of(process) == workers


def test_while_they_start_workers_end_when_told(process: subprocess.Popen[str]) -> None:
    until(lambda: len(workers_of(process)) == 2)
    workers = workers_of(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=WAIT_S) == 0
    assert process.stdout
    assert process.stdout.read() == ""
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_workers_end_with_their_supervisor(process: subprocess.Popen[str]) -> None:
    address_of(process)
    workers = workers_of(process)
    process.kill()
    end = time.monotonic() + WAIT_S
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_settings_that_no_worker_can_start_with_end_all() -> None:
    command = [sys.executable, "-m", "serving.server", "--workers", "2", "--port", "0"]
    result = subprocess.run(
        [*command, "--default-model", "none"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "model is 'none'" in result.stderr
