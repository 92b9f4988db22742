"""Opening a model file with ONNX Runtime, and calling it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from serving.batching import Array, Batcher
from serving.errors import InvalidConfig, InvalidModel
from serving.provider import Provider
from serving.stop import Stop

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_PROVIDERS: dict[Provider, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
# ONNX Runtime's level of messages that are always shown.
_FATAL = 4
# Of networks that take one size only, which each tile is then padded to.
_LARGEST_SIDE = 4096
_FLOATS = ("tensor(float)", "tensor(float16)")


def available_providers() -> list[Provider]:
    """What the installed package of ONNX Runtime can compute with."""
    available = ort.get_available_providers()
    return [name for name, provider in _PROVIDERS.items() if provider in available]


def check_provider(provider: Provider) -> None:
    """Refuses a provider whose package is not installed.

    Raises:
        InvalidConfig: it is not.
    """
    available = available_providers()
    if provider not in available:
        raise InvalidConfig(
            "provider", provider, f"one that the installed onnxruntime has: {', '.join(available)}"
        )


@dataclass(frozen=True, slots=True)
class Computing:
    """How networks are computed.

    Attributes:
        threads: that one tile is computed on.
        spinning: whether such threads wait in a loop, which is faster where nobody else needs them.
        provider: what computes.
        max_batch: equal tiles, of any requests, that are computed in one run.
        batch_delay_s: that a tile waits for others to share a run with.
    """

    threads: int = 1
    spinning: bool = False
    provider: Provider = "cpu"
    max_batch: int = 1
    batch_delay_s: float = 0.0


class Session:
    """An open model file; several threads may call it at once.

    Attributes:
        pixels: None for a network on floats; else maps uint8 [N, H, W, 3] to the same, larger.
        floats: maps float32 [N, 3, H, W] to the same, larger; a network on pixels rounds them. Both
            end by :class:`~serving.stop.Stopped` once the stop that they are given is set.
        fixed_size: the only height and width that the network takes, or None for any.
        metadata: what the file says of itself.

    Raises:
        InvalidModel: the file is no ONNX model, or its interface is none of these.
    """

    pixels: Callable[[Bytes, Stop], Bytes] | None
    floats: Callable[[Floats, Stop], Floats]

    def __init__(self, path: Path, computing: Computing) -> None:
        self._run: Callable[[Array, Stop], Array] = self._call
        options = ort.SessionOptions()
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.intra_op_num_threads = computing.threads
        spinning = str(int(computing.spinning))
        options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
        providers = dict.fromkeys([_PROVIDERS[computing.provider], _PROVIDERS["cpu"]])
        try:
            str(path).encode()
            self._session = ort.InferenceSession(path, options, providers=[*providers])
        except UnicodeEncodeError as error:
            raise InvalidModel("path", repr(str(path)), "one in UTF-8") from error
        except Exception as error:  # ONNX Runtime's own errors share no other base class.
            raise InvalidModel(str(path), f"unreadable ({error})", "an ONNX model") from error
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        interface = [
            [(tensor.type, list(tensor.shape)) for tensor in tensors]
            for tensors in (self._session.get_inputs(), self._session.get_outputs())
        ]
        match interface:
            case [[("tensor(uint8)", [_, height, width, 3])], [("tensor(uint8)", [_, _, _, 3])]]:
                self.pixels = self._levels
                self.floats = self._rounded
            case [
                [(source, [_, 3 | str() | None, height, width])],
                [(result, [_, 3 | str() | None, _, _])],
            ] if source in _FLOATS and result in _FLOATS:
                self.pixels = None
                self.floats = self._narrow if source == "tensor(float16)" else self._wide
            case _:
                raise InvalidModel(
                    f"{path}: inputs and outputs",
                    interface,
                    "one float tensor [N, 3, H, W] each, or one uint8 tensor [N, H, W, 3]",
                )
        (((_, (size, *_)),), _) = interface
        if computing.max_batch > 1 and not isinstance(size, int):
            self._run = Batcher(self._call, computing.max_batch, computing.batch_delay_s)
        fixed = [isinstance(side, int) for side in (height, width)]
        if any(fixed) and not all(fixed):
            raise InvalidModel(
                f"{path}: size of the input", f"{width}x{height}", "both sides fixed, or neither"
            )
        self.fixed_size: tuple[int, int] | None = (height, width) if all(fixed) else None
        if self.fixed_size and not all(1 <= side <= _LARGEST_SIDE for side in self.fixed_size):
            raise InvalidModel(
                f"{path}: size of the input", f"{width}x{height}", f"sides of 1 to {_LARGEST_SIDE}"
            )

    def _call(self, batch: NDArray[np.generic], stop: Stop) -> NDArray[np.generic]:
        (source,) = self._session.get_inputs()
        options = ort.RunOptions()
        options.log_severity_level = _FATAL  # Being stopped is no error.
        with stop.interrupting(partial(setattr, options, "terminate", True)):
            (result,) = self._session.run(None, {source.name: batch}, options)
        return cast(NDArray[np.generic], result)

    def _levels(self, batch: Bytes, stop: Stop) -> Bytes:
        return cast(Bytes, self._run(batch, stop))

    def _wide(self, batch: NDArray[np.floating], stop: Stop) -> Floats:
        return cast(Floats, self._run(batch, stop).astype(np.float32, copy=False))

    def _narrow(self, batch: Floats, stop: Stop) -> Floats:
        return self._wide(batch.astype(np.float16), stop)

    def _rounded(self, batch: Floats, stop: Stop) -> Floats:
        levels = np.rint(batch.clip(0, 1) * np.float32(255)).astype(np.uint8)
        pixels = self._run(np.ascontiguousarray(levels.transpose(0, 2, 3, 1)), stop)
        return cast(Floats, pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255))
