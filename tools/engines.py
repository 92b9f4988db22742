"""Ways to run a network on a processor, each in a process of its own.

Threads of one engine that wait in a loop would slow another one in the same process by half.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from os import sysconf
from pathlib import Path
from types import MappingProxyType, TracebackType

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["NEEDS", "Engine", "Run", "busy_seconds", "installed"]

_Pixels = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]

# What each engine's package is called.
NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "ours": "onnxruntime",
        "onnxruntime": "onnxruntime",
        "openvino": "openvino",
        "ncnn": "ncnn",
        "torch": "torch",
        "torch-bf16": "torch",
    }
)


@dataclass(frozen=True)
class Run:
    """What one picture took: seconds, and how much of that the other processes had.

    Attributes:
        seconds: from start to end.
        used: processors that the engine kept busy.
        others: processors that other processes kept busy meanwhile.
    """

    seconds: float
    used: float
    others: float


class Engine:
    """A process that upscales one picture again and again, whenever it is told to.

    Args:
        name: one of :data:`NEEDS`.
        file: the network: ONNX, or for torch a checkpoint, ours or another project's, or for ncnn
            also its own param file with the bin file beside it.
        threads: it may use.
        picture: an image file.
        whole_way: whether decoding and encoding PNG are part of it.

    Attributes:
        output_pixels: of the result, whatever the network's scale is.

    Raises:
        RuntimeError: if it cannot run the network.
    """

    def __init__(
        self, name: str, file: Path, threads: int, picture: Path, whole_way: bool = False
    ) -> None:
        self.name = name
        self.file = file
        arguments = [name, file, threads, picture, int(whole_way)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.engines", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.output_pixels = int(self._answer())

    def run(self) -> Run:
        """Upscale the picture once.

        Raises:
            RuntimeError: if the process has ended.
        """
        assert self._process.stdin
        before = busy_seconds()
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        seconds, used = map(float, self._answer().split())
        others = busy_seconds() - before - used
        return Run(seconds, used / seconds, max(0.0, others) / seconds)

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} on {self.file} ended without an answer")
        return line

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()


def busy_seconds() -> float:
    """Processor time that all processes of this machine have used, where Linux tells."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    first, _, _ = path.read_text().partition("\n")
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, *_ = map(
        int, first.split()[1:]
    )
    return (user + nice + system + interrupts + soft_interrupts) / sysconf("SC_CLK_TCK")


def installed(name: str) -> bool:
    """Whether an engine's package is there."""
    return find_spec(NEEDS[name]) is not None


def _upscaler(name: str, file: Path, threads: int) -> Callable[[_Pixels], _Pixels]:
    """Opens a network: uint8 ``[H, W, 3]`` to the same, larger."""
    if name == "ours":
        return _ours(file, threads)
    network = {
        "onnxruntime": _onnxruntime,
        "openvino": _openvino,
        "ncnn": _ncnn,
        "torch": _torch,
        "torch-bf16": _torch_bf16,
    }[name](file, threads)

    def run(pixels: _Pixels) -> _Pixels:
        lr = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        hr = network(lr)[0].transpose(1, 2, 0)
        result: _Pixels = np.rint(hr.clip(0, 1) * 255).astype(np.uint8)
        return result

    return run


def _ours(file: Path, threads: int) -> Callable[[_Pixels], _Pixels]:
    from serving.engine import upscale
    from serving.model import load_model
    from serving.tasks import TaskPool

    model, pool = load_model(file), TaskPool(threads)
    return lambda pixels: upscale(model, pixels, np.uint8, pool).astype(np.uint8, copy=False)


def _onnxruntime(file: Path, threads: int) -> Callable[[_Floats], _Floats]:
    from serving.session import Computing, Session
    from serving.stop import Stop

    session, never = Session(file, Computing(threads)), Stop()
    return lambda lr: session.floats(lr, never)


def _openvino(file: Path, threads: int) -> Callable[[_Floats], _Floats]:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(file), "CPU", settings)
    return lambda lr: np.asarray(compiled(lr)[0])


def _ncnn(file: Path, threads: int) -> Callable[[_Floats], _Floats]:
    import ncnn

    from tools.ncnn_file import write_ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        param, binary = file, file.with_suffix(".bin")
        if file.suffix != ".param":
            param, binary = write_ncnn(file, Path(folder))
        if net.load_param(str(param)) or net.load_model(str(binary)):
            raise ValueError(f"ncnn cannot read {param} and {binary}")
    # Names of convolutions that ncnn has joined with what follows come before the result's.
    source, result = net.input_names()[0], net.output_names()[-1]

    def run(lr: _Floats) -> _Floats:
        extractor = net.create_extractor()
        extractor.input(source, ncnn.Mat(lr[0]))
        _, hr = extractor.extract(result)
        return np.asarray(hr)[None]

    return run


def _torch(file: Path, threads: int, bf16: bool = False) -> Callable[[_Floats], _Floats]:
    import torch

    from srgan.upscalers import open_upscaler

    torch.set_num_threads(threads)
    upscaler = open_upscaler(str(file), 1)  # a file knows its own scale

    @torch.inference_mode()
    def run(lr: _Floats) -> _Floats:
        picture = torch.from_numpy(lr).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            hr: _Floats = upscaler.run(picture).float().numpy()
        return hr

    return run


def _torch_bf16(file: Path, threads: int) -> Callable[[_Floats], _Floats]:
    return _torch(file, threads, bf16=True)


def _route(name: str, file: Path, threads: int) -> Callable[[bytes], bytes]:
    """From an image file's bytes to a PNG's."""
    if name == "ours":
        from serving.catalog import BUNDLED, Catalog
        from serving.codec.formats import ImageFormat
        from serving.pipeline.upscaler import Options, Upscaler

        bundled = file.resolve().parent == BUNDLED.resolve()
        # Or the name alone would choose between the twins.
        name = f"{file.stem}-fp32" if bundled and not file.stem.endswith("-int8") else file.stem
        upscaler = Upscaler(Catalog([] if bundled else [file], name), threads)
        options = Options(format=ImageFormat.PNG)
        return lambda data: b"".join(upscaler.upscale(data, options).chunks())
    upscale = _upscaler(name, file, threads)

    def run(data: bytes) -> bytes:
        pixels = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
        target = BytesIO()
        Image.fromarray(upscale(pixels)).save(target, "PNG")
        return target.getvalue()

    return run


def _serve(name: str, file: str, threads: str, picture: str, whole_way: str) -> None:
    """The other process: a run, then the size of its result, then a run for each line."""
    data = Path(picture).read_bytes()
    work: Callable[[], bytes | _Pixels]
    if int(whole_way):
        work = partial(_route(name, Path(file), int(threads)), data)
    else:
        pixels = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
        work = partial(_upscaler(name, Path(file), int(threads)), pixels)
    result = work()
    opened = Image.open(BytesIO(result)) if isinstance(result, bytes) else Image.fromarray(result)
    sys.stdout.write(f"{opened.width * opened.height}\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        start, busy = time.perf_counter(), time.process_time()
        work()
        sys.stdout.write(f"{time.perf_counter() - start} {time.process_time() - busy}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
