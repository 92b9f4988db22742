"""Lays exported models out as a model repository of NVIDIA's Triton Inference Server.

The layout and ``config.pbtxt`` follow Triton's "Model Repository" and "Model Configuration".
"""

import shutil
from pathlib import Path

import onnx
from onnx import TensorProto, ValueInfoProto

from core.files import appearing
from serving.names import ModelName

__all__ = ["write_repository"]

_TYPES = {
    int(TensorProto.FLOAT): "TYPE_FP32",
    int(TensorProto.FLOAT16): "TYPE_FP16",
    int(TensorProto.UINT8): "TYPE_UINT8",
}
_LARGEST_BATCH = 8
_SIDE = 256  # of the picture that each instance is warmed up with

_CONFIG = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: {batch}
input [ {{ name: "{source.name}" data_type: {source_type} dims: [ {source_dims} ] }} ]
output [ {{ name: "{result.name}" data_type: {result_type} dims: [ {result_dims} ] }} ]
model_warmup [
  {{
    name: "one picture"
    batch_size: 1
    inputs {{
      key: "{source.name}"
      value {{ data_type: {source_type} dims: [ {warm_dims} ] random_data: true }}
    }}
  }}
]
"""


def write_repository(models: list[Path], folder: Path) -> None:
    """Write ``NAME/config.pbtxt`` and ``NAME/VERSION/model.onnx`` for each model.

    Args:
        models: files ``NAME.onnx`` or ``NAME@VERSION.onnx`` of this project, of any height, width
            and batch.
        folder: the repository; what it has of other models is left alone.
    """
    for path in models:
        graph = onnx.load(path).graph
        (source,), (result,) = graph.input, graph.output
        name = ModelName.of_file(path)
        place = folder / name.stem
        with appearing(place / str(name.version) / "model.onnx") as copied:
            shutil.copyfile(path, copied)
        settings = _CONFIG.format(
            name=name.stem,
            batch=_LARGEST_BATCH,
            source=source,
            result=result,
            source_type=_type(source),
            result_type=_type(result),
            source_dims=_dims(source, -1),
            result_dims=_dims(result, -1),
            warm_dims=_dims(source, _SIDE),
        )
        with appearing(place / "config.pbtxt") as written:
            written.write_text(settings)


def _type(tensor: ValueInfoProto) -> str:
    return _TYPES[int(tensor.type.tensor_type.elem_type)]


def _dims(tensor: ValueInfoProto, side: int) -> str:
    """All but the batch; sides that may be any are `side`."""
    dims = tensor.type.tensor_type.shape.dim[1:]
    return ", ".join(str(dim.dim_value if dim.HasField("dim_value") else side) for dim in dims)
