"""Writes an exported generator for ncnn, to time that engine on the very network.

The files' format is described in ncnn's wiki, "param and model file structure".
"""

import struct
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

from core.command import UserError

__all__ = ["write_ncnn"]

_ADD = 0
_NEAREST = 1
_FP32 = 0


def write_ncnn(model: Path, folder: Path) -> tuple[Path, Path]:
    """Write an fp32 file of a plain or light generator as ``model.param`` and ``model.bin``.

    Returns:
        The two files; their blobs ``lr`` and ``hr`` are ``[3, H, W]``.

    Raises:
        UserError: if the network has other layers than convolutions of stride 1, rectifiers, sums,
            one kind of pixel shuffle and nearest-neighbour enlargement.
    """
    graph = onnx.load(model).graph
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    # ncnn wants a blob of its own for each reader.
    readers = Counter(name for node in graph.node for name in node.input if name not in constants)
    copies: dict[str, list[str]] = {}
    lines = []
    weights = bytearray()

    def made(name: str) -> None:
        if readers[name] > 1:
            copies[name] = [f"{name}.copy{index}" for index in range(readers[name])]
            outputs = " ".join(copies[name])
            lines.append(f"Split split_{name} 1 {readers[name]} {name} {outputs}")

    def read(name: str) -> str:
        return copies[name].pop() if copies.get(name) else name

    source = graph.input[0].name
    lines.append(f"Input {source} 0 1 {source}")
    made(source)
    for node in graph.node:
        inputs = [read(name) for name in node.input if name and name not in constants]
        kind, settings = _layer(node, constants, model)
        (output,) = node.output
        blobs = " ".join([*inputs, output])
        lines.append(f"{kind} {output} {len(inputs)} 1 {blobs} {settings}")
        if node.op_type == "Conv":
            kernel, *biases = (constants[name] for name in node.input[1:])
            bias = biases[0] if biases else np.zeros(len(kernel), np.float32)
            weights += struct.pack("<i", _FP32) + kernel.tobytes() + bias.tobytes()
        made(output)
    blobs_made = sum(int(line.split()[3]) for line in lines)
    param, binary = folder / "model.param", folder / "model.bin"
    param.write_text("\n".join(["7767517", f"{len(lines)} {blobs_made}", *lines, ""]))
    binary.write_bytes(weights)
    return param, binary


def _layer(node: NodeProto, constants: dict[str, np.ndarray], model: Path) -> tuple[str, str]:
    """ncnn's name of a layer, and its numbered settings."""
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    match node.op_type:
        case "Conv" if set(attributes["strides"]) == {1} and attributes["group"] == 1:
            kernel = constants[node.input[1]]
            outputs, _, side, _ = kernel.shape
            padding = attributes["pads"][0]
            return "Convolution", f"0={outputs} 1={side} 4={padding} 5=1 6={kernel.size}"
        case "Relu":
            return "ReLU", ""
        case "Add":
            return "BinaryOp", f"0={_ADD}"
        case "DepthToSpace" if attributes["mode"] == b"CRD":
            return "PixelShuffle", f"0={attributes['blocksize']}"
        case "Resize" if attributes["mode"] == b"nearest":
            scale = float(constants[node.input[2]][-1])
            return "Interp", f"0={_NEAREST} 1={scale} 2={scale}"
    raise UserError(f"{model} has a layer that is not written for ncnn: {node.op_type}")
