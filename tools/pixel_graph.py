"""Rewrites a quantised graph to take and give pixels: what the service has is what it computes on.

An 8-bit network whose input and output are float spends a fifth of its time on widening, shuffling
and joining full-size pictures, and its caller as much again on rounding them. Here all of that is
done on bytes, and before the pixel shuffle, where rows lie together. One rounding less remains.
"""

from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from core.command import UserError

__all__ = ["as_pixels"]

# Integer convolutions read four channels at a time; three take twice as long as four.
_PADDED = 4
# And they write sixteen at a time; twelve take as long as 48.
_WRITTEN = 16
_STEP = np.float32(1 / 255)

_Array = npt.NDArray[np.generic]


def as_pixels(model: ModelProto, scale: int) -> ModelProto:
    """Return a model that maps uint8 ``[N, H, W, 3]`` to uint8 ``[N, scale * H, scale * W, 3]``.

    Values are what rounding the given model's result to 256 levels makes, but for the residual,
    which is joined to the enlarged input as integers where the graph ends in such a join.

    Args:
        model: a QDQ model that maps float32 ``[N, 3, H, W]`` in [0, 1] to the same, larger; its
            input is quantised before anything else sees it.
        scale: of the model.

    Raises:
        UserError: if something else sees the input first.
    """
    graph = _Graph(model)
    (source,), (result,) = model.graph.input, model.graph.output
    (quantiser, *others) = graph.users(source.name)
    if others or quantiser.op_type != "QuantizeLinear":
        raise UserError(
            "the network changes its input before the first convolution, as an 8-bit twin cannot: "
            "export it without --int8"
        )
    (floats,) = [node.output[0] for node in graph.users(quantiser.output[0])]
    graph.remove(quantiser, graph.maker(floats))
    tail = _tail(graph, result.name, floats, scale)
    graph.constant("step", _STEP)
    graph.constant("none", np.uint8(0))
    planes = "planes" if tail else "channels_first"
    graph.first("DequantizeLinear", [planes, "step", "none"], floats)
    if tail is None:
        graph.node("QuantizeLinear", [result.name, "step", "none"], "levels")
        graph.node("Transpose", ["levels"], "pixels", perm=[0, 2, 3, 1])
    else:
        _pad(graph, "channels_first", planes, floats)
        _joined(graph, tail, floats, scale)
    graph.first("Transpose", [source.name], "channels_first", perm=[0, 3, 1, 2])
    return graph.finished(source.name, "pixels")


class _Graph:
    """A graph that is being rewritten."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.nodes = list(model.graph.node)
        self.constants = {each.name: each for each in model.graph.initializer}

    def maker(self, name: str) -> NodeProto:
        return next(node for node in self.nodes if name in node.output)

    def made_by(self, name: str, kind: str) -> NodeProto | None:
        found = [node for node in self.nodes if name in node.output and node.op_type == kind]
        return found[0] if found else None

    def users(self, name: str) -> list[NodeProto]:
        return [node for node in self.nodes if name in node.input]

    def remove(self, *gone: NodeProto) -> None:
        self.nodes = [node for node in self.nodes if not any(node is each for each in gone)]

    def value(self, name: str) -> _Array:
        value: _Array = numpy_helper.to_array(self.constants[name])
        return value

    def constant(self, name: str, value: _Array | np.generic) -> None:
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def first(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.insert(0, helper.make_node(kind, inputs, [output], **attributes))

    def finished(self, source: str, result: str) -> ModelProto:
        graph = self.model.graph
        used = {name for node in self.nodes for name in node.input}
        pixels = [
            helper.make_tensor_value_info(name, TensorProto.UINT8, ["batch", *sides, 3])
            for name, sides in ((source, ("height", "width")), (result, ("rows", "columns")))
        ]
        rewritten = helper.make_model(
            helper.make_graph(
                self.nodes,
                graph.name,
                pixels[:1],
                pixels[1:],
                [constant for name, constant in self.constants.items() if name in used],
            ),
            opset_imports=[each for each in self.model.opset_import if not each.domain],
            ir_version=self.model.ir_version,
        )
        rewritten.metadata_props.extend(self.model.metadata_props)
        onnx.checker.check_model(rewritten, full_check=True)
        return rewritten


def _tail(graph: _Graph, result: str, floats: str, scale: int) -> NodeProto | None:
    """Take off a graph's end and return its last convolution, or None if it ends otherwise.

    The end that is known: the convolution, rounded; a pixel shuffle; the input, enlarged by
    repetition, added.
    """
    join = graph.made_by(result, "Add")
    if join is None:
        return None
    shuffles, skips = (
        [made for name in join.input if (made := graph.made_by(name, kind))]
        for kind in ("DepthToSpace", "Resize")
    )
    if not shuffles or not skips or skips[0].input[0] != floats:
        return None
    settings = {each.name: helper.get_attribute_value(each) for each in shuffles[0].attribute}
    wide = graph.made_by(shuffles[0].input[0], "DequantizeLinear")
    narrow = wide and graph.made_by(wide.input[0], "QuantizeLinear")
    convolution = narrow and graph.made_by(narrow.input[0], "Conv")
    if (settings["blocksize"], settings["mode"]) != (scale, b"CRD") or convolution is None:
        return None
    graph.remove(join, shuffles[0], skips[0])
    return convolution


def _pad(graph: _Graph, three: str, planes: str, floats: str) -> None:
    """Give the first convolutions a channel that is always 0."""
    padding = np.zeros(8, np.int64)
    padding[5] = _PADDED - 3
    graph.constant("padding", padding)
    for node in graph.users(floats):
        kernel = graph.maker(node.input[1]).input[0]
        value = graph.value(kernel)
        missing = np.zeros((len(value), _PADDED - 3, *value.shape[2:]), value.dtype)
        graph.constant(kernel, np.concatenate([value, missing], axis=1))
    # Without a shape between, the planes would be made pixels again before they are padded, which
    # then goes byte by byte.
    graph.constant("planes_shape", np.array([0, _PADDED, 0, -1]))
    graph.first("Reshape", ["with_zeros", "planes_shape"], planes)
    graph.first("Pad", [three, "padding", "none"], "with_zeros")


def _joined(graph: _Graph, tail: NodeProto, floats: str, scale: int) -> None:
    """Add the input to the tail's result before the shuffle, which then moves whole pixels."""
    channels = 3 * scale**2
    multiple = lcm(_WRITTEN, scale)
    written = -(-channels // multiple) * multiple
    # From colour, row, column of a block to row, column, colour, and what is thrown away.
    order = np.arange(channels).reshape(3, scale, scale).transpose(1, 2, 0).ravel()
    for name in tail.input[1:]:
        for constant in graph.maker(name).input:
            if len(value := graph.value(constant)) == channels:
                graph.constant(constant, value[[*order, *[0] * (written - channels)]])
    (rounded,) = graph.users(tail.output[0])
    (residual,) = [node.output[0] for node in graph.users(rounded.output[0])]
    repeat = np.zeros((written, _PADDED, 1, 1), np.int8)
    repeat[np.arange(channels), np.arange(channels) % 3] = 127
    graph.constant("repeat_levels", repeat)
    graph.constant("repeat_step", np.float32(1 / 127))
    graph.node("DequantizeLinear", ["repeat_levels", "repeat_step"], "repeat")
    graph.node("Conv", [floats, "repeat"], "repeated", kernel_shape=[1, 1])
    graph.node("QuantizeLinear", ["repeated", "step", "none"], "repeated_levels")
    graph.node("DequantizeLinear", ["repeated_levels", "step", "none"], "skip")
    graph.node("Add", [residual, "skip"], "joined")
    graph.node("QuantizeLinear", ["joined", "step", "none"], "levels")
    _shuffled(graph, scale, written)


def _shuffled(graph: _Graph, scale: int, written: int) -> None:
    """The pixel shuffle of what has its channels last, of which the first are a block's pixels.

    A row of a block, 3 * scale bytes, is three pieces. To move pieces apart and together again is
    several times as fast as to move rows, since there are loops for pieces of 1, 2, 4 and 8 bytes.
    """
    graph.constant("pieces", np.array([0, 0, 0, written // scale, scale]))
    graph.node("Transpose", ["levels"], "channels_last", perm=[0, 2, 3, 1])
    graph.node("Reshape", ["channels_last", "pieces"], "in_pieces")
    graph.node("Transpose", ["in_pieces"], "apart", perm=[0, 1, 3, 2, 4])
    wanted, pieces = 3 * scale, "apart"
    if written > wanted * scale:
        pieces = "needed"
        for name, value in (("first", 0), ("last", wanted), ("axis", 2)):
            graph.constant(name, np.array([value]))
        graph.node("Slice", ["apart", "first", "last", "axis"], pieces)
    graph.constant("rows_apart", np.array([0, -1, 3, 0, 0]))
    graph.constant("all_rows", np.array([0, 0, -1, 3]))
    graph.node("Reshape", [pieces, "rows_apart"], "in_rows")
    graph.node("Transpose", ["in_rows"], "together", perm=[0, 1, 3, 2, 4])
    graph.node("Reshape", ["together", "all_rows"], "pixels")
