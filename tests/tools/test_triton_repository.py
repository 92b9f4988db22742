"""Model repositories for Triton say what the files are."""

import shutil
from pathlib import Path

import onnx
import pytest

from serving.catalog import BUNDLED
from tools.triton_repository import write_repository


@pytest.mark.parametrize(
    ("name", "kind", "dims", "warm"),
    [
        ("x4-fast", "TYPE_FP32", "3, -1, -1", "3, 256, 256"),
        ("x4-fast-int8", "TYPE_UINT8", "-1, -1, 3", "256, 256, 3"),
    ],
)
def test_a_repository_has_the_model_and_its_description(
    name: str, kind: str, dims: str, warm: str, tmp_path: Path
) -> None:
    path = BUNDLED / f"{name}.onnx"
    write_repository([path], tmp_path)
    files = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()}
    assert files == {f"{name}/config.pbtxt", f"{name}/1/model.onnx"}
    assert (tmp_path / name / "1" / "model.onnx").read_bytes() == path.read_bytes()
    config = (tmp_path / name / "config.pbtxt").read_text()
    graph = onnx.load(path).graph
    for side, tensor in (("input", graph.input[0].name), ("output", graph.output[0].name)):
        assert f'{side} [ {{ name: "{tensor}" data_type: {kind} dims: [ {dims} ] }} ]' in config
    assert f"value {{ data_type: {kind} dims: [ {warm} ] random_data: true }}" in config


def test_a_version_is_triton_s_own(tmp_path: Path) -> None:
    path = tmp_path / "mine@2.onnx"
    shutil.copyfile(BUNDLED / "x4-fast.onnx", path)
    write_repository([path], tmp_path / "repository")
    assert (tmp_path / "repository" / "mine" / "2" / "model.onnx").read_bytes() == path.read_bytes()
    assert 'name: "mine"' in (tmp_path / "repository" / "mine" / "config.pbtxt").read_text()
