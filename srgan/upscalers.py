"""Anything that upscales, behind one call: a trained generator, an ONNX file, or interpolation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch import Tensor

from core.command import UserError
from srgan.community import is_community, load_descriptor
from srgan.generators import load_generator

__all__ = ["Upscaler", "open_upscaler"]


@dataclass(frozen=True)
class Upscaler:
    """A way to enlarge pictures.

    Attributes:
        name: what it is called in a table.
        scale: output side over input side.
        run: maps float32 ``[1, 3, H, W]`` in [0, 1] to ``[1, 3, scale * H, scale * W]``.
    """

    name: str
    scale: int
    run: Callable[[Tensor], Tensor]


_INTERPOLATIONS: Mapping[str, Image.Resampling] = MappingProxyType(
    {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
)


def _interpolation(name: str, scale: int) -> Upscaler:
    def run(lr: Tensor) -> Tensor:
        levels = lr[0].permute(1, 2, 0).mul(255).round().to(torch.uint8)
        picture = Image.fromarray(levels.numpy())
        size = (picture.width * scale, picture.height * scale)
        enlarged = np.array(picture.resize(size, _INTERPOLATIONS[name]))
        return torch.from_numpy(enlarged).permute(2, 0, 1)[None].float() / 255

    return Upscaler(name, scale, run)


def _onnx(path: Path) -> Upscaler:
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, one for each status
        raise UserError(f"{path} cannot be opened by ONNX Runtime: {error}") from error
    metadata = session.get_modelmeta().custom_metadata_map
    if "scale" not in metadata:
        raise UserError(f"{path} has no 'scale' in its metadata; was it exported by this project?")
    source = session.get_inputs()[0].name

    def run(lr: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {source: lr.contiguous().numpy()})[0])

    return Upscaler(path.name, int(metadata["scale"]), run)


def _trained(path: Path) -> Upscaler:
    network, spec, _ = load_generator(path)

    def run(lr: Tensor) -> Tensor:
        with torch.no_grad():
            hr: Tensor = network(lr)
        return hr

    return Upscaler(path.name, spec.scale, run)


def _community(path: Path) -> Upscaler:
    descriptor = load_descriptor(path)
    return Upscaler(path.name, descriptor.scale, descriptor)


def open_upscaler(model: str, scale: int) -> Upscaler:
    """Open ``bicubic``, ``lanczos``, an ``.onnx`` file or a checkpoint, ours or another project's.

    Args:
        model: the name or path.
        scale: for interpolation, which knows none.

    Raises:
        UserError: if it is none of these, or cannot be read.
    """
    if model in _INTERPOLATIONS:
        return _interpolation(model, scale)
    path = Path(model)
    if not path.is_file():
        raise UserError(
            f"model must be {', '.join(_INTERPOLATIONS)}, an .onnx file or a checkpoint, "
            f"not {model!r}"
        )
    if path.suffix == ".onnx":
        return _onnx(path)
    return _community(path) if is_community(path) else _trained(path)
