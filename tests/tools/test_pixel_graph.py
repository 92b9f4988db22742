"""8-bit twins on pixels: the same results, rounded, whatever the network ends in."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from core.command import UserError
from srgan.generators import GeneratorSpec, Light
from tests.srgan.pictures import save_pictures
from tools import quantise as quantiser
from tools.export_onnx import export_onnx
from tools.quantise import quantise


def outputs(path: Path, value: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    result: np.ndarray = session.run(None, {source.name: value})[0]
    return result


@pytest.mark.parametrize("spec", [
    GeneratorSpec("light", 4, 16, 1),
    GeneratorSpec("light", 3, 16, 1),
    GeneratorSpec("light", 2, 16, 1),
    GeneratorSpec("plain", 4, 16, 1),
    GeneratorSpec("srresnet", 2, 16, 1),
], ids=str)  # fmt: skip
def test_the_twin_on_pixels_is_the_one_on_floats_rounded(
    spec: GeneratorSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    plain, floats, pixels = (tmp_path / f"{name}.onnx" for name in ("plain", "floats", "pixels"))
    export_onnx(spec.build().eval(), plain, {"scale": str(spec.scale)})
    photos = save_pictures(tmp_path / "photos", 3, 64, 72)[0].parent
    quantise(plain, pixels, photos, spec.scale, allowed=float("inf"))
    monkeypatch.setattr(quantiser, "as_pixels", lambda model, _scale: model)
    monkeypatch.setattr(quantiser, "scores", lambda _model, crops, _scale: [0.0] * len(crops))
    quantise(plain, floats, photos, spec.scale)

    picture = np.random.default_rng(0).integers(0, 256, (2, 17, 23, 3), dtype=np.uint8)
    result = outputs(pixels, picture)
    lr = np.divide(picture.transpose(0, 3, 1, 2), 255, dtype=np.float32)
    expected = np.rint(outputs(floats, lr).clip(0, 1) * 255).transpose(0, 2, 3, 1)
    assert result.dtype == np.uint8
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= 1
    assert (result == expected).mean() > 0.98
    model = onnx.load(pixels)
    assert [each.domain for each in model.opset_import] == [""]
    assert "Resize" not in {node.op_type for node in model.graph.node}
    if spec.name in ("plain", "light"):
        weights = {each.name: each for each in model.graph.initializer}
        written = [weights[name].dims[0] for name in ("tail.weight_quantized", "repeat_levels")]
        assert written[0] == written[1]
        assert written[0] % 16 == 0  # or the last convolutions would take twice as long


def test_a_network_that_changes_its_input_first_has_no_twin(tmp_path: Path) -> None:
    class Centred(Light):
        def forward(self, lr: Tensor) -> Tensor:
            return super().forward(lr - 0.5)

    torch.manual_seed(0)
    export_onnx(Centred(2, 16, 1).eval(), tmp_path / "centred.onnx", {"scale": "2"})
    photos = save_pictures(tmp_path / "photos", 3, 64, 72)[0].parent
    with pytest.raises(UserError, match="changes its input before the first convolution"):
        quantise(tmp_path / "centred.onnx", tmp_path / "twin.onnx", photos, 2)
