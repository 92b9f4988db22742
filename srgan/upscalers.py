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
from srgan.tiles import upscale_in_tiles

__all__ = ["Upscaler", "open_upscaler"]


@dataclass(frozen=True)
class Upscaler:
    """A way to enlarge pictures.

    Attributes:
        name: what it is called in a table.
        scale: output side over input side.
        run: maps float32 ``[N, 3, H, W]`` in [0, 1] to ``[N, 3, scale * H, scale * W]``, on the
            same device; large pictures in tiles, where it is known how far the network looks.
    """

    name: str
    scale: int
    run: Callable[[Tensor], Tensor]


_INTERPOLATIONS: Mapping[str, Image.Resampling] = MappingProxyType(
    {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
)


_TRIED = 16  # side of the picture that an ONNX file is tried on


def _interpolation(name: str, scale: int) -> Upscaler:
    def enlarged(levels: Tensor) -> Tensor:
        picture = Image.fromarray(levels.numpy())
        size = (picture.width * scale, picture.height * scale)
        return torch.from_numpy(np.array(picture.resize(size, _INTERPOLATIONS[name])))

    def run(lr: Tensor) -> Tensor:
        levels = lr.permute(0, 2, 3, 1).mul(255).round().to("cpu", torch.uint8)
        hr = torch.stack([enlarged(picture) for picture in levels])
        return (hr.permute(0, 3, 1, 2).float() / 255).to(lr.device)

    return Upscaler(name, scale, run)


def _onnx(path: Path) -> Upscaler:
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, one for each status
        raise UserError(f"{path} cannot be opened by ONNX Runtime: {error}") from error
    metadata = session.get_modelmeta().custom_metadata_map
    if "scale" not in metadata:
        raise UserError(f"{path} has no 'scale' in its metadata; was it exported by this project?")
    source, scale = session.get_inputs()[0], _whole_number(path, metadata, "scale", 1)
    halo = _whole_number(path, metadata, "halo", 0) if "halo" in metadata else None

    def whole(lr: Tensor) -> Tensor:
        if source.type == "tensor(uint8)":
            levels = lr.clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
            pixels = levels.permute(0, 2, 3, 1).contiguous().numpy()
            hr = torch.from_numpy(session.run(None, {source.name: pixels})[0])
            return (hr.permute(0, 3, 1, 2).float() / 255).to(lr.device)
        hr = session.run(None, {source.name: lr.contiguous().cpu().numpy()})[0]
        return torch.from_numpy(hr).to(lr.device)

    def run(lr: Tensor) -> Tensor:
        return whole(lr) if halo is None else upscale_in_tiles(whole, lr, scale, halo)

    try:
        made = whole(torch.zeros(1, 3, _TRIED, _TRIED))
    except Exception as error:
        raise UserError(f"{path} cannot upscale a picture of {_TRIED}x{_TRIED}: {error}") from error
    if made.shape != (1, 3, _TRIED * scale, _TRIED * scale):
        raise UserError(
            f"{path} has scale {scale} in its metadata, and makes {list(made.shape)} of "
            f"[1, 3, {_TRIED}, {_TRIED}]"
        )
    return Upscaler(path.name, scale, run)


def _whole_number(path: Path, metadata: Mapping[str, str], name: str, least: int) -> int:
    value = metadata[name]
    if not (value.isdecimal() and int(value) >= least):
        raise UserError(
            f"{path} has {name} {value!r} in its metadata; it must be a whole number from {least}"
        )
    return int(value)


def _trained(path: Path, device: torch.device | str) -> Upscaler:
    network, spec, _ = load_generator(path)
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(lr: Tensor) -> Tensor:
        with torch.no_grad():
            hr = upscale_in_tiles(network, lr.to(device), network.scale, network.halo)
        return hr.to(lr.device)

    return Upscaler(path.name, spec.scale, run)


def _community(path: Path, device: torch.device | str) -> Upscaler:
    descriptor = load_descriptor(path).to(device)

    def run(lr: Tensor) -> Tensor:
        hr: Tensor = descriptor(lr.to(device))
        return hr.clone().to(lr.device)  # what is made in inference mode cannot be in a loss

    return Upscaler(path.name, descriptor.scale, run)


def open_upscaler(model: str, scale: int, device: torch.device | str = "cpu") -> Upscaler:
    """Open ``bicubic``, ``lanczos``, an ``.onnx`` file or a checkpoint, ours or another project's.

    Args:
        model: the name or path.
        scale: for interpolation, which knows none.
        device: where a checkpoint's network runs; the others run on the processor.

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
    if path.suffix.lower() == ".onnx":
        return _onnx(path)
    return _community(path, device) if is_community(path) else _trained(path, device)
