"""A model file: what it says of itself, and how to run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort

from serving.errors import InvalidModel
from serving.hints import Hints
from serving.probe import LEVELS, Floats, probe_halo, probe_range, probe_scale
from serving.stop import Stop

FORMAT_VERSION = "1"
SUFFIX = ".onnx"

_FATAL = 4  # ONNX Runtime's log level


class Precision(Enum):
    """Number format of a network's arithmetic, as its metadata spells it."""

    FP32 = "fp32"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model file says of itself in its ONNX metadata.

    Attributes:
        name: what its makers call it.
        scale: factor by which each side grows.
        halo: radius of the receptive field in input pixels: an output pixel depends on no input
            pixel that is further away. None where it depends on the whole picture.
        precision: number format inside; input and output are float32 all the same.
        license: under which terms the weights may be used.
        training_run: how it was made, free text or JSON.
    """

    name: str
    scale: int
    halo: int | None
    precision: Precision
    license: str
    training_run: str

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> ModelInfo:
        """Reads and checks a model file's metadata; `source` names the file in errors.

        Raises:
            InvalidModel: a key is missing, or its value is not one that this program can serve.
        """

        def value(key: str) -> str:
            if key not in metadata:
                raise InvalidModel(f"{source}: metadata key {key!r}", "missing", "a value")
            return metadata[key]

        def exactly(key: str, allowed: str) -> None:
            if value(key) != allowed:
                raise InvalidModel(f"{source}: {key}", repr(value(key)), repr(allowed))

        def integer(key: str, least: int) -> int:
            text = value(key)
            if not (text.isascii() and text.isdigit() and int(text) >= least):
                raise InvalidModel(
                    f"{source}: {key}", repr(text), f"a whole number of at least {least}"
                )
            return int(text)

        exactly("format_version", FORMAT_VERSION)
        exactly("input_range", "0..1")
        exactly("color_order", "RGB")
        precisions = [precision.value for precision in Precision]
        if value("precision") not in precisions:
            raise InvalidModel(
                f"{source}: precision", repr(value("precision")), " or ".join(precisions)
            )
        return cls(
            name=value("name"),
            scale=integer("scale", least=1),
            halo=integer("halo", least=0),
            precision=Precision(value("precision")),
            license=value("license"),
            training_run=value("training_run"),
        )


class Model:
    """A network that is ready to run; several threads may run it at once.

    Attributes:
        info: what it is.
        fixed_size: the only height and width that the network takes, or None for any.
    """

    def __init__(
        self,
        info: ModelInfo,
        network: Callable[[Floats, Stop], Floats],
        fixed_size: tuple[int, int] | None = None,
        stop: Stop | None = None,
    ) -> None:
        self.info = info
        self.fixed_size = fixed_size
        self._network = network
        self._stop = stop or Stop()

    def until(self, stop: Stop) -> Model:
        """The same model, whose runs end by :class:`~serving.stop.Stopped` once `stop` is set."""
        return Model(self.info, self._network, self.fixed_size, stop)

    def run(self, batch: Floats) -> Floats:
        """Upscales RGB in [0, 1]: float32 [N, 3, H, W] to [N, 3, scale*H, scale*W], unclipped.

        Smaller pictures than a fixed size are continued by their last row and column.
        """
        if self.fixed_size is None:
            return self._network(batch, self._stop)
        height, width = batch.shape[2:]
        missing = [
            (0, 0),
            (0, 0),
            (0, self.fixed_size[0] - height),
            (0, self.fixed_size[1] - width),
        ]
        padded = np.pad(batch, missing, mode="edge")
        ones = np.split(padded, len(padded))
        results = [self._network(one, self._stop) for one in ones]
        scale = self.info.scale
        return np.concatenate(results)[:, :, : height * scale, : width * scale]


def load_model(path: Path, threads: int = 1, hints: Hints | None = None) -> Model:
    """Loads a model file; each run computes on `threads` threads.

    What a file from elsewhere has no metadata for is found out by :mod:`serving.probe`.

    Args:
        path: of the file.
        threads: at least 1.
        hints: what is known of it if it has no metadata.

    Raises:
        InvalidModel: the file is no ONNX model, its interface is not one [N, 3, H, W] in and one
            out, or its metadata is not acceptable, or what it lacks cannot be found out.
    """
    options = ort.SessionOptions()
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads
    # Spinning threads burn the processor that the other requests' tiles need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors share no other base class.
        raise InvalidModel(str(path), f"unreadable ({error})", "an ONNX model") from error
    metadata = session.get_modelmeta().custom_metadata_map
    _check_interface(session, path)
    if "format_version" in metadata:
        return Model(ModelInfo.from_metadata(metadata, str(path)), _network(session))
    return _probed(session, path, hints or Hints())


def _check_interface(session: ort.InferenceSession, path: Path) -> None:
    for side, tensors in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        found = [(tensor.type, list(tensor.shape)) for tensor in tensors]
        match found:
            case [("tensor(float)" | "tensor(float16)", [_, 3 | str() | None, _, _])]:
                continue
        raise InvalidModel(f"{path}: {side}", found, "one float tensor [N, 3, H, W]")


def _network(session: ort.InferenceSession) -> Callable[[Floats, Stop], Floats]:
    (source,) = session.get_inputs()
    dtype = np.float16 if source.type == "tensor(float16)" else np.float32

    def run(batch: Floats, stop: Stop) -> Floats:
        options = ort.RunOptions()
        options.log_severity_level = _FATAL  # Being stopped is no error.
        with stop.interrupting(partial(setattr, options, "terminate", True)):
            (result,) = session.run(None, {source.name: batch.astype(dtype, copy=False)}, options)
        return np.asarray(result, dtype=np.float32)

    return run


def _probed(session: ort.InferenceSession, path: Path, hints: Hints) -> Model:
    """A model without metadata; it is called what its file is called."""
    _, _, height, width = session.get_inputs()[0].shape
    fixed = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    stoppable = _network(session)

    def plain(batch: Floats) -> Floats:
        return stoppable(batch, Stop())

    scale = probe_scale(plain, fixed, str(path))
    most = np.float32(LEVELS[hints.input_range or probe_range(plain, fixed, scale, str(path))])
    order = slice(None, None, -1 if hints.color_order == "BGR" else None)

    def network(batch: Floats, stop: Stop) -> Floats:
        result = stoppable(np.ascontiguousarray(batch[:, order]) * most, stop)[:, order]
        return np.divide(result, most, dtype=np.float32)

    halo = (
        probe_halo(lambda batch: network(batch, Stop()), fixed, scale)
        if hints.halo is None
        else hints.halo
    )
    if fixed and (halo is None or 2 * halo >= min(fixed)):
        raise InvalidModel(
            str(path),
            f"made for {width}x{height} pixels only, and sees them all",
            "a model that takes any size, or sees less",
        )
    return Model(
        ModelInfo(path.stem, scale, halo, Precision.FP32, "unknown", "unknown"), network, fixed
    )
