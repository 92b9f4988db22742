"""What networks can be computed on."""

from typing import Literal

Provider = Literal["cpu", "cuda", "tensorrt", "openvino", "coreml", "directml"]
