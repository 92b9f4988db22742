"""The same pictures through this service and through BentoML, in turns.

Usage: ``python -m tools.beside_bentoml --python VENV/bin/python``, where that environment has
``bentoml``, ``onnxruntime``, ``pillow`` and ``numpy``. BentoML's service does what its
documentation shows: Pillow decodes, ONNX Runtime gets the whole picture, Pillow encodes. Both have
the same model file, the 8-bit one. All that is written is in a temporary folder.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tyro

from core.command import UserError
from serving.catalog import BUNDLED
from serving.client import UpscalerClient
from serving.processor import processor_name
from tools.stress.load import ONCE, picture
from tools.stress.process import ServerProcess
from tools.stress.turns import seconds_in_turns

_MODEL = "x4-fast-int8"
_START_S, _END_S = 60.0, 30.0
_SERVICE = """
import io
import os
import typing

import bentoml
import numpy as np
import onnxruntime
from PIL import Image


@bentoml.service(traffic={"timeout": 120, "max_concurrency": 64})
class Upscale:
    def __init__(self) -> None:
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"])

    @bentoml.api(route="/upscale")
    def upscale(
        self, image: Image.Image, /
    ) -> typing.Annotated[bytes, bentoml.validators.ContentType("image/jpeg")]:
        pixels = np.asarray(image.convert("RGB"))[None]
        (source,) = self.session.get_inputs()
        (result,) = self.session.run(None, {source.name: pixels})
        file = io.BytesIO()
        Image.fromarray(result[0]).save(file, "JPEG", quality=95, subsampling="4:4:4")
        return file.getvalue()
"""


@dataclass(frozen=True)
class Beside:
    """Compares throughput.

    Attributes:
        python: of an environment with BentoML.
        side: of the square pictures.
        pictures: of each turn.
        turns: of each.
        callers: at the same time.
    """

    python: Path
    side: int = 512
    pictures: int = 12
    turns: int = 5
    callers: int = 4


@contextmanager
def bentoml(python: Path) -> Iterator[str]:
    """Run BentoML's service; give its address.

    Raises:
        UserError: it does not start.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        (Path(folder) / "service.py").write_text(_SERVICE)
        quiet = {"BENTOML_HOME": folder, "HOME": folder, "BENTOML_DO_NOT_TRACK": "True"}
        command = [str(python), "-m", "bentoml", "serve", "service:Upscale"]
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=os.environ | quiet | {"MODEL": str(BUNDLED / f"{_MODEL}.onnx"), "PYTHONPATH": ""},
            stdout=log,
            stderr=log,
        )
        try:
            if not _answers(f"http://127.0.0.1:{port}/readyz", process):
                log.seek(0)
                raise UserError(f"BentoML did not start: {log.read()[-500:].decode()}")
            yield f"http://127.0.0.1:{port}/upscale"
        finally:
            # Only the first process can end its workers, which have groups of their own.
            process.send_signal(signal.SIGTERM)
            process.wait(_END_S)


def _answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    end = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def compare(beside: Beside) -> dict[str, float]:
    """Return how many pictures a second each takes, medians of turns."""
    image = picture(beside.side, beside.side)
    with (
        ServerProcess("--log-level", "error") as server,
        UpscalerClient(server.address, ONCE) as client,
        bentoml(beside.python) as url,
    ):

        def ours(_: int) -> int:
            return len(client.upscale(image, model=_MODEL).image)

        def theirs(_: int) -> int:
            request = urllib.request.Request(url, image, {"Content-Type": "image/jpeg"})
            with urllib.request.urlopen(request, timeout=120) as answer:
                return len(answer.read())

        ways = {"this service": ours, "BentoML": theirs}
        seconds = seconds_in_turns(ways, beside.pictures, beside.turns, beside.callers)
    return {name: beside.pictures / taken for name, taken in seconds.items()}


def main() -> int:
    """Print both throughputs and their ratio; return 2 where BentoML cannot be run."""
    beside = tyro.cli(Beside, prog="python -m tools.beside_bentoml")
    try:
        found = compare(beside)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{processor_name()}, {beside.side}x{beside.side}, {beside.callers} callers\n")
    for name, rate in found.items():
        sys.stdout.write(f"{name}: {rate:.2f} pictures a second\n")
    sys.stdout.write(f"ratio: {found['this service'] / found['BentoML']:.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
