"""A model file: what it says of itself, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from serving.errors import InvalidModel

FORMAT_VERSION = "1"
SUFFIX = ".onnx"


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
            pixel that is further away.
        precision: number format inside; input and output are float32 all the same.
        license: under which terms the weights may be used.
        training_run: how it was made, free text or JSON.
    """

    name: str
    scale: int
    halo: int
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
    """A network that is ready to run; several threads may run it at once."""

    def __init__(self, info: ModelInfo, session: ort.InferenceSession) -> None:
        self.info = info
        self._session = session
        self._input_name: str = session.get_inputs()[0].name

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscales RGB in [0, 1]: float32 [N, 3, H, W] to [N, 3, scale*H, scale*W], unclipped."""
        (result,) = self._session.run(None, {self._input_name: batch})
        return np.asarray(result, dtype=np.float32)


def load_model(path: Path, threads: int = 1) -> Model:
    """Loads a model file; each run computes on `threads` threads.

    Raises:
        InvalidModel: the file is no ONNX model, its interface is not one float32 [N, 3, H, W] in
            and one out, or its metadata is not acceptable.
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
    info = ModelInfo.from_metadata(session.get_modelmeta().custom_metadata_map, str(path))
    _check_interface(session, path)
    return Model(info, session)


def _check_interface(session: ort.InferenceSession, path: Path) -> None:
    for side, tensors in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        found = [(tensor.type, list(tensor.shape)) for tensor in tensors]
        match found:
            case [("tensor(float)", [_, 3 | str() | None, _, _])]:
                continue
        raise InvalidModel(f"{path}: {side}", found, "one float32 tensor [N, 3, H, W]")
