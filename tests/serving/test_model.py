from pathlib import Path

import numpy as np
import onnx
import pytest

from serving.errors import InvalidModel
from serving.model import Model, ModelInfo, Precision, load_model
from tests.serving.networks import LAYERS, Network, community

METADATA = Network("net").metadata


def test_a_model_tells_what_it_is(random: Model) -> None:
    assert random.info == ModelInfo(
        name="random",
        scale=4,
        halo=LAYERS,
        precision=Precision.FP32,
        license="MIT",
        training_run="random weights for tests",
    )


def test_a_model_upscales_a_batch(nearest: Model) -> None:
    batch = np.random.default_rng(0).random((2, 3, 5, 7), np.float32)
    assert np.array_equal(nearest.run(batch), batch.repeat(4, axis=2).repeat(4, axis=3))


@pytest.mark.parametrize("key", sorted(METADATA))
def test_every_key_is_needed(key: str) -> None:
    metadata = {name: value for name, value in METADATA.items() if name != key}
    with pytest.raises(InvalidModel, match=rf"net\.onnx: metadata key '{key}' is missing"):
        ModelInfo.from_metadata(metadata, "net.onnx")


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("format_version", "2", "'1'"),
        ("scale", "0", "1 to 16"),
        ("scale", "17", "1 to 16"),
        ("scale", "4.0", "whole number"),
        ("halo", "-1", "0 to 512"),
        ("halo", "1000000000", "0 to 512"),
        ("input_range", "0..255", "'0..1'"),
        ("color_order", "BGR", "'RGB'"),
        ("precision", "fp8", "fp32 or fp16 or int8"),
    ],
)
def test_wrong_values_are_refused_with_what_is_allowed(key: str, value: str, allowed: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        ModelInfo.from_metadata(METADATA | {key: value}, "net.onnx")
    assert f"{key} is {value!r}" in str(caught.value)
    assert allowed in str(caught.value)


def test_a_value_of_any_length_is_refused_in_short() -> None:
    with pytest.raises(InvalidModel, match="whole number") as caught:
        ModelInfo.from_metadata(METADATA | {"scale": "9" * 5000}, "net.onnx")
    assert len(str(caught.value)) < 200


def test_metadata_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = Network("net").save(tmp_path, METADATA | {"license": "AAAA"})
    path.write_bytes(path.read_bytes().replace(b"AAAA", b"\xff\xfe\xfd\xfc"))
    with pytest.raises(InvalidModel, match=r"net\.onnx is unreadable"):
        load_model(path)


def test_a_fixed_size_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    onnx.save(community(Network("huge"), size=100_000), str(path))
    with pytest.raises(InvalidModel, match="100000x100000; expected sides of 1 to 4096"):
        load_model(path)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(InvalidModel, match=r"broken\.onnx is unreadable"):
        load_model(path)


def test_a_model_of_another_interface_is_refused(tmp_path: Path) -> None:
    path = Network("net").save(tmp_path)
    model = onnx.load(str(path))
    extra = onnx.helper.make_tensor_value_info("skip", onnx.TensorProto.FLOAT, None)
    model.graph.output.append(extra)
    onnx.save(model, str(path))
    with pytest.raises(InvalidModel, match="outputs"):
        load_model(path)
