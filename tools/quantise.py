"""Static 8-bit quantisation of an exported generator, calibrated and judged on photographs."""

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime import InferenceSession
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from core.command import UserError
from srgan.sources import list_pictures
from tools.crops import Crop, awkward, middle
from tools.losses import LARGEST_OF_ONE, CropLoss, Losses, scores
from tools.pixel_graph import as_pixels

__all__ = ["LARGEST_LOSS", "QuantisationError", "quantise"]

logger = logging.getLogger(__name__)

LARGEST_LOSS = 0.05  # dB of PSNR-Y, on average
_CALIBRATION = 48
_JUDGED = 16
_MOST_FLOATS = 2  # convolutions; with more of them, a twin is hardly faster
_QUANTISED = ("Conv", "Relu", "Add", "Mul", "Clip")
_PARTS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)  # of the range seen

# Lowest and highest value of each activation.
_Ranges = dict[str, tuple[np.float32, np.float32]]


class QuantisationError(UserError):
    """The 8-bit twin loses too much."""


def _ranges(model: Path, crops: list[Tensor]) -> _Ranges:
    """Return the range of each activation whose rounding to 256 levels errs the least.

    A range that holds every value seen is wide: a few large values cost all others precision. So of
    each tensor the range seen and parts of it are tried, and the one is taken that makes the
    smallest squared error over all crops, of values rounded and values cut off together.
    """
    graph = onnx.load(str(model))
    # A convolution with a rectifier after it becomes one operation: nothing is rounded between.
    rectified = {node.input[0] for node in graph.graph.node if node.op_type == "Relu"}
    names = [
        node.output[0]
        for node in graph.graph.node
        if node.op_type in _QUANTISED and node.output[0] not in rectified
    ]
    del graph.graph.output[:]
    graph.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def activations() -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        for crop in crops:
            yield from zip(names, session.run(names, {"lr": crop.numpy()}), strict=True)

    seen = dict.fromkeys(names, (0.0, 0.0))
    for name, values in activations():
        low, high = seen[name]
        seen[name] = min(low, float(values.min())), max(high, float(values.max()))
    errors = {name: np.zeros(len(_PARTS)) for name in names}
    for name, values in activations():
        low, high = seen[name]
        errors[name] += [_squared_error(values, low * part, high * part) for part in _PARTS]
    best = {name: _PARTS[int(each.argmin())] for name, each in errors.items()}
    return {
        name: (np.float32(low * best[name]), np.float32(high * best[name]))
        for name, (low, high) in seen.items()
    }


def _squared_error(values: npt.NDArray[np.float32], low: float, high: float) -> float:
    """Sum of squared errors of rounding to the 256 levels of a range."""
    step = max(high - low, 1e-6) / 255
    zero = round(-low / step)
    levels = np.rint(values / np.float32(step)).clip(-zero, 255 - zero)
    levels *= np.float32(step)
    levels -= values
    return float(np.vdot(levels, levels))


class _Nothing(CalibrationDataReader):  # type: ignore[misc]  # the library is untyped
    """What the library shall see ranges on, which it then does not use: one black picture."""

    def __init__(self) -> None:
        self._feed = iter([{"lr": np.zeros((1, 3, 16, 16), np.float32)}])

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        return next(self._feed, None)


def quantise(
    model: Path, out: Path, pictures: Path, scale: int, allowed: float | None = None
) -> Losses:
    """Write the 8-bit twin of an exported generator: unsigned activations, signed weights (QDQ).

    It maps uint8 ``[N, H, W, 3]`` to the same, larger (see :mod:`tools.pixel_graph`).
    Ranges of activations are what errs the least on crops of up to 48 photographs, every other of
    them also made even, dark or drawn (:mod:`tools.crops`); weights have a range for each output
    channel. Where that loses too much, on average or of a single crop, up to two convolutions keep
    their floats: each time the one that gains most by it.

    Args:
        model: the fp32 file.
        out: the twin.
        pictures: folder of photographs: calibration takes some of them, the judgement others.
        scale: of the model.
        allowed: largest mean loss in dB, whatever single crops lose; None for 0.05, and 0.3 that
            one crop may lose below the 45 dB from which on nobody sees a difference.

    Returns:
        fp32's PSNR-Y less the twin's, crop by crop, of up to 16 photographs and 8 awkward crops. A
        crop may have lost more than one should.

    Raises:
        QuantisationError: if the mean loss is larger than allowed.
        UserError: if there are fewer than two pictures.
    """
    calibration, judged = _crops(pictures, scale)
    plain = scores(model, judged, scale)
    limits = (LARGEST_LOSS, LARGEST_OF_ONE) if allowed is None else (allowed, math.inf)
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        ranges = _ranges(prepared, [crop.lr for crop in calibration])

        def losses_with(floats: Sequence[str]) -> Losses:
            _write_twin(prepared, out, ranges, floats, scale)
            twin = scores(out, judged, scale)
            return Losses(tuple(map(CropLoss.of, judged, plain, twin)))

        floats: list[str] = []
        losses = losses_with(floats)
        while not _excess(losses, limits) <= 0 and len(floats) < _MOST_FLOATS:  # nor may it be NaN
            others = [name for name in _convolutions(prepared) if name not in floats]
            tried = {name: losses_with([*floats, name]) for name in others}
            floats.append(min(tried, key=lambda name: _excess(tried[name], limits)))
            losses = tried[floats[-1]]
            logger.info("with %s in floats %s", " and ".join(floats), losses)
        if floats:  # the last one that was tried need not be the best one
            _write_twin(prepared, out, ranges, floats, scale)
    if not losses.mean <= limits[0]:
        out.unlink()
        raise QuantisationError(
            f"the 8-bit twin loses {losses.mean:.2f} dB, more than {limits[0]} is refused: a "
            "generator of this project loses less after --quantisation-steps, also with --init"
        )
    return losses


def _crops(pictures: Path, scale: int) -> tuple[list[Crop], list[Crop]]:
    """Return what to calibrate on, and what to judge on."""
    paths = list_pictures(pictures)
    if len(paths) < 2:
        raise UserError(f"--pictures {pictures} must hold at least 2 photographs, not {len(paths)}")
    count = min(_CALIBRATION + _JUDGED, len(paths))
    spread = [paths[index * len(paths) // count] for index in range(count)]
    judged = spread[:: max(2, count // _JUDGED)][:_JUDGED]
    rest = [path for path in spread if path not in judged]
    first, second = (
        [middle(path, scale) for path in chosen] + awkward(chosen, scale)
        for chosen in (rest, judged)
    )
    return first, second


def _excess(losses: Losses, limits: tuple[float, float]) -> float:
    """By how many dB the mean or the worst crop is above its limit, whichever is more."""
    return float(np.max([losses.mean - limits[0], losses.worst.visible - limits[1]]))


def _write_twin(
    prepared: Path, out: Path, ranges: _Ranges, floats: Sequence[str], scale: int
) -> None:
    """Write the twin in which the nodes `floats` stay as they are."""
    # All levels of a picture, whichever of them the photographs have.
    whole = ranges | {"lr": (np.float32(0), np.float32(1))}
    quantize_static(
        str(prepared),
        str(out),
        _Nothing(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=[*_QUANTISED],
        nodes_to_exclude=[*_last_join(prepared), *floats],
        extra_options={
            "TensorQuantOverrides": {
                name: [{"rmin": low, "rmax": high}] for name, (low, high) in whole.items()
            }
        },
    )
    onnx.save(as_pixels(onnx.load(out), scale), out)


def _convolutions(model: Path) -> list[str]:
    """Return the names of all convolutions but the one that is given the picture's levels."""
    graph = onnx.load(str(model)).graph
    picture = graph.input[0].name
    return [n.name for n in graph.node if n.op_type == "Conv" and picture not in n.input]


def _last_join(model: Path) -> list[str]:
    """Return the name of the node that makes the output, where it is an addition."""
    graph = onnx.load(str(model)).graph
    output = graph.output[0].name
    return [node.name for node in graph.node if node.op_type == "Add" and output in node.output]
