"""Builds small super-resolution networks with the interface and metadata of the real ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 8
LAYERS = 3


@dataclass(frozen=True)
class Network:
    """A residual network of `LAYERS` 3x3 convolutions, so with a halo of as many pixels.

    A `strength` of 0 leaves the nearest-neighbour skip alone.
    """

    name: str
    scale: int = 4
    strength: float = 0.2
    seed: int = 0
    precision: str = "fp32"

    @property
    def metadata(self) -> dict[str, str]:
        return {
            "format_version": "1",
            "name": self.name,
            "scale": str(self.scale),
            "halo": str(LAYERS),
            "input_range": "0..1",
            "color_order": "RGB",
            "precision": self.precision,
            "license": "MIT",
            "training_run": "random weights for tests",
        }

    def save(self, folder: Path, metadata: dict[str, str] | None = None) -> Path:
        path = folder / f"{self.name}.onnx"
        model = self.build()
        helper.set_model_props(model, self.metadata if metadata is None else metadata)
        onnx.save(model, str(path))
        return path

    def build(self) -> onnx.ModelProto:
        random = np.random.default_rng(self.seed)
        widths = [3, *[CHANNELS] * (LAYERS - 1), 3 * self.scale**2]
        nodes = []
        constants = []
        value = "input"
        for layer in range(LAYERS):
            fan_in = widths[layer] * 9
            gain = self.strength if layer == LAYERS - 1 else 1.5
            weight: NDArray[np.float32] = random.normal(
                0, gain / fan_in**0.5, (widths[layer + 1], widths[layer], 3, 3)
            ).astype(np.float32)
            bias = (random.normal(0, 0.1, widths[layer + 1]) * gain).astype(np.float32)
            constants += [
                numpy_helper.from_array(weight, f"w{layer}"),
                numpy_helper.from_array(bias, f"b{layer}"),
            ]
            nodes.append(
                helper.make_node(
                    "Conv", [value, f"w{layer}", f"b{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1]
                )
            )
            value = f"c{layer}"
            if layer < LAYERS - 1:
                nodes.append(helper.make_node("Relu", [value], [f"r{layer}"]))
                value = f"r{layer}"
        scales = np.array([1, 1, self.scale, self.scale], np.float32)
        constants.append(numpy_helper.from_array(scales, "scales"))
        nodes += [
            helper.make_node("DepthToSpace", [value], ["detail"], blocksize=self.scale, mode="CRD"),
            helper.make_node(
                "Resize",
                ["input", "", "scales"],
                ["skip"],
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            ),
            helper.make_node("Add", ["detail", "skip"], ["output"]),
        ]
        graph = helper.make_graph(
            nodes,
            self.name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, "h", "w"])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 3, "sh", "sw"])],
            constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        onnx.checker.check_model(model)
        return model


def community(
    network: Network,
    levels: int = 1,
    bgr: bool = False,
    size: int | None = None,
    whole: bool = False,
    blocks: int = 1,
    mirrored: int = 0,
    gated: float = 0,
) -> onnx.ModelProto:
    """The network as others publish theirs: no metadata, other names, perhaps other conventions.

    Args:
        network: what it does to RGB in [0, 1].
        levels: white, in its input and output.
        bgr: whether channels come in that order.
        size: the only height and width it takes.
        whole: whether brightness depends on the mean of the whole picture.
        blocks: what its sides must be multiples of.
        mirrored: by how many pixels it continues pictures before all else, by their mirror image;
            what comes of them is cut off.
        gated: how much a gate, which the whole picture's contrast opens, lets more of it through.
    """
    model = network.build()
    graph = model.graph
    reverse = numpy_helper.from_array(np.array([2, 1, 0]), "reverse")
    before = [
        helper.make_node("Mul", ["image", "smallest"], ["scaled"]),
        helper.make_node("Gather", ["scaled", "reverse"], ["input"], axis=1)
        if bgr
        else helper.make_node("Identity", ["scaled"], ["input"]),
    ]
    if blocks > 1:
        before[-1].output[0] = "ordered_input"
        before += [
            helper.make_node("SpaceToDepth", ["ordered_input"], ["blocks"], blocksize=blocks),
            helper.make_node("DepthToSpace", ["blocks"], ["input"], blocksize=blocks),
        ]
    if mirrored:
        before[-1].output[0] = "not_mirrored"
        before += [
            helper.make_node("Pad", ["not_mirrored", "margins"], ["wide"], mode="reflect"),
            helper.make_node("Pad", ["wide", "back"], ["input"]),
        ]
    after = [
        helper.make_node("GlobalAveragePool", ["input"], ["mean"]),
        helper.make_node("Mul", ["output", "mean"], ["dimmed"]),
        helper.make_node("Sub", ["input", "mean"], ["departure"]),
        helper.make_node("Abs", ["departure"], ["contrast"]),
        helper.make_node("ReduceMean", ["contrast"], ["of_all"], axes=[1, 2, 3]),
        helper.make_node("Mul", ["of_all", "gated"], ["weighed"]),
        helper.make_node("Sigmoid", ["weighed"], ["gate"]),
        helper.make_node("Mul", ["output", "gate"], ["let_through"]),
        helper.make_node(
            "Identity", ["dimmed" if whole else "let_through" if gated else "output"], ["made"]
        ),
        helper.make_node("Gather", ["made", "reverse"], ["ordered"], axis=1)
        if bgr
        else helper.make_node("Identity", ["made"], ["ordered"]),
        helper.make_node("Mul", ["ordered", "largest"], ["upscaled"]),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(
        [
            reverse,
            numpy_helper.from_array(np.array([0, 0, 1, 1] * 2) * mirrored, "margins"),
            numpy_helper.from_array(np.array([0, 0, 1, 1] * 2) * -mirrored, "back"),
            numpy_helper.from_array(np.array(gated, np.float32), "gated"),
            numpy_helper.from_array(np.array(1 / levels, np.float32), "smallest"),
            numpy_helper.from_array(np.array(levels, np.float32), "largest"),
        ]
    )
    graph.input[0].name, graph.output[0].name = "image", "upscaled"
    if size is not None:
        shape = graph.input[0].type.tensor_type.shape.dim
        shape[0].dim_value, shape[2].dim_value, shape[3].dim_value = 1, size, size
    onnx.checker.check_model(model)
    return model
