"""Static 8-bit quantisation of an exported generator, calibrated and judged on photographs."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from core.command import UserError
from srgan.cache import read_rgb
from srgan.metrics import crop_border, luma, psnr
from srgan.metrics import quantise as to_levels
from srgan.patches import as_tensor
from srgan.resize import imresize_uint8
from srgan.sources import list_pictures
from srgan.upscalers import open_upscaler
from tools.pixel_graph import as_pixels

__all__ = ["LARGEST_LOSS", "QuantisationError", "crop_pair", "quantise"]

logger = logging.getLogger(__name__)

LARGEST_LOSS = 0.05  # dB of PSNR-Y
_CALIBRATION = 48
_JUDGED = 16
_MOST_FLOATS = 2  # convolutions; with more of them, a twin is hardly faster
_SIDE = 96  # of a low-resolution crop


class QuantisationError(UserError):
    """The 8-bit twin loses too much."""


def crop_pair(path: Path, scale: int) -> tuple[Tensor, Tensor]:
    """Return the middle of a picture as ``(lr, hr)``, float32 in [0, 1]."""
    picture = read_rgb(path)
    sides = [min(_SIDE * scale, side // scale * scale) for side in picture.shape[:2]]
    top, left = ((whole - side) // 2 for whole, side in zip(picture.shape[:2], sides, strict=True))
    hr = as_tensor([picture[top : top + sides[0], left : left + sides[1]]])
    lr = imresize_uint8(hr.mul(255).round().to(torch.uint8), 1 / scale)
    return lr.float() / 255, hr


class _Crops(CalibrationDataReader):  # type: ignore[misc]  # the library is untyped
    def __init__(self, crops: list[Tensor]) -> None:
        self._feed: Iterator[Tensor] = iter(crops)

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        crop = next(self._feed, None)
        return None if crop is None else {"lr": crop.numpy()}


def _mean_psnr(model: Path, pairs: list[tuple[Tensor, Tensor]], scale: int) -> float:
    upscaler = open_upscaler(str(model), scale)
    values = [
        psnr(
            crop_border(luma(to_levels(upscaler.run(lr))), scale),
            crop_border(luma(to_levels(hr)), scale),
        )
        for lr, hr in pairs
    ]
    return float(np.mean(values))


def quantise(
    model: Path, out: Path, pictures: Path, scale: int, allowed: float | None = None
) -> float:
    """Write the 8-bit twin of an exported generator: unsigned activations, signed weights (QDQ).

    It maps uint8 ``[N, H, W, 3]`` to the same, larger (see :mod:`tools.pixel_graph`).
    Ranges of activations are those seen on crops of up to 48 photographs; weights have a range for
    each output channel. Where that loses too much, up to two convolutions keep their floats: each
    time the one that gains most by it.

    Args:
        model: the fp32 file.
        out: the twin.
        pictures: folder of photographs: calibration takes some of them, the judgement others.
        scale: of the model.
        allowed: largest loss in dB; None for 0.05.

    Returns:
        The loss in dB: fp32's mean PSNR-Y less the twin's, on up to 16 photographs.

    Raises:
        QuantisationError: if the loss is larger than allowed.
        UserError: if there are fewer than two pictures.
    """
    paths = list_pictures(pictures)
    if len(paths) < 2:
        raise UserError(f"--pictures {pictures} must hold at least 2 photographs, not {len(paths)}")
    count = min(_CALIBRATION + _JUDGED, len(paths))
    spread = [paths[index * len(paths) // count] for index in range(count)]
    judged = spread[:: max(2, count // _JUDGED)][:_JUDGED]
    calibration = [crop_pair(path, scale)[0] for path in spread if path not in judged]
    pairs = [crop_pair(path, scale) for path in judged]
    whole = _mean_psnr(model, pairs, scale)
    allowed = LARGEST_LOSS if allowed is None else allowed
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)

        def loss_with(floats: Sequence[str]) -> float:
            _write_twin(prepared, out, calibration, floats, scale)
            return whole - _mean_psnr(out, pairs, scale)

        floats: list[str] = []
        loss = loss_with(floats)
        while not loss <= allowed and len(floats) < _MOST_FLOATS:  # nor may it be NaN
            others = [name for name in _convolutions(prepared) if name not in floats]
            losses = {name: loss_with([*floats, name]) for name in others}
            floats.append(min(losses, key=lambda name: losses[name]))
            loss = losses[floats[-1]]
            logger.info("with %s in floats the twin loses %.3f dB", " and ".join(floats), loss)
        if floats:  # the last one that was tried need not be the best one
            _write_twin(prepared, out, calibration, floats, scale)
    if not loss <= allowed:
        out.unlink()
        raise QuantisationError(
            f"the 8-bit twin loses {loss:.2f} dB, more than {allowed} is refused: train on with "
            "--init and --quantisation-aware, and export again"
        )
    return loss


def _write_twin(
    prepared: Path, out: Path, calibration: list[Tensor], floats: Sequence[str], scale: int
) -> None:
    """Write the twin in which the nodes `floats` stay as they are."""
    quantize_static(
        str(prepared),
        str(out),
        _Crops(calibration),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Relu", "Add"],
        nodes_to_exclude=[*_last_join(prepared), *floats],
        # All levels of a picture, whichever of them the photographs have.
        extra_options={
            "TensorQuantOverrides": {"lr": [{"rmin": np.float32(0), "rmax": np.float32(1)}]}
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
