import os
import sys
from pathlib import Path

import numpy as np
import pytest

from serving import catalog
from serving.catalog import Catalog
from serving.errors import InvalidConfig, InvalidModel, UnknownModel
from serving.pixels import Depth
from tests.serving.networks import Network


def test_models_are_found_in_folders_and_as_files(models: Path, tmp_path: Path) -> None:
    single = Network("single").save(tmp_path)
    catalog = Catalog([models, single], default="random")
    assert catalog.resolve("single") == "single"
    assert catalog.resolve("") == "random"
    assert catalog.load("nearest").info.name == "nearest"


def test_a_model_is_loaded_once(models: Path) -> None:
    catalog = Catalog([models], default="random")
    assert catalog.load() is catalog.load("random")


def test_a_precision_may_follow_the_name(tmp_path: Path) -> None:
    path = Network("net", precision="int8").save(tmp_path)
    path.rename(tmp_path / "net-int8.onnx")
    assert Catalog([tmp_path], default="net-int8").load().info.name == "net"


def test_hidden_files_are_no_models(tmp_path: Path) -> None:
    Network("net").save(tmp_path)
    (tmp_path / ".net.1.part.onnx").write_bytes(b"half a model")
    assert ".net.1.part" not in Catalog([tmp_path], default="net").names


@pytest.fixture
def twins(tmp_path: Path) -> Catalog:
    Network("net").save(tmp_path)
    Network("net-int8", precision="int8").save(tmp_path)
    return Catalog([tmp_path], default="net")


@pytest.mark.parametrize(
    ("name", "depth", "able", "resolved"),
    [
        ("", np.uint8, True, "net-int8"),
        ("net", np.uint8, True, "net-int8"),
        ("net", np.uint16, True, "net-fp32"),
        ("net", np.uint8, False, "net-fp32"),
        ("net-int8", np.uint16, False, "net-int8"),
        ("net-fp32", np.uint8, True, "net-fp32"),
    ],
)
def test_of_twins_the_better_one_is_taken_unless_the_other_is_asked_for(
    twins: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    depth: Depth,
    able: bool,
    resolved: str,
) -> None:
    monkeypatch.setattr(catalog, "has_integer_dot_products", lambda: able)
    assert twins.resolve(name, depth) == resolved
    assert twins.load(name, depth).info.precision.value == resolved[-4:]
    assert twins.resolve(resolved, depth) == resolved


def test_a_single_file_keeps_its_name(models: Path) -> None:
    assert Catalog([models], default="random").resolve("random", np.uint16) == "random"
    with pytest.raises(UnknownModel):
        Catalog([models], default="random").resolve("random-fp32")


def test_unknown_names_are_refused_with_those_there_are(models: Path) -> None:
    with pytest.raises(UnknownModel, match=r"model is 'x'; expected one of: .*nearest, random"):
        Catalog([models], default="random").resolve("x")
    with pytest.raises(UnknownModel, match="model is 'y'"):
        Catalog([models], default="y")


def test_paths_that_are_no_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.txt").touch()
    for name in ("none", "none.onnx", "model.txt"):
        with pytest.raises(
            InvalidConfig, match=r"models is .*; expected a \.onnx file, or a folder"
        ):
            Catalog([tmp_path / name])


def test_a_folder_may_be_filled_later(tmp_path: Path) -> None:
    models = Catalog([tmp_path])
    Network("later").save(tmp_path)
    assert "later" in models.successor().names


def test_two_files_of_one_name_are_refused(models: Path, tmp_path: Path) -> None:
    again = Network("random").save(tmp_path)
    with pytest.raises(InvalidConfig, match="another name"):
        Catalog([models, again], default="random")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_file_whose_name_is_not_utf_8_is_refused_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.onnx")
    Network("net").save(tmp_path).rename(path)
    with pytest.raises(
        InvalidModel, match=r"^path is '.*/caf\\udce9\.onnx'; expected one in UTF-8$"
    ):
        Catalog([tmp_path]).open(path)


def test_a_renamed_model_is_refused(tmp_path: Path) -> None:
    Network("net").save(tmp_path).rename(tmp_path / "other.onnx")
    with pytest.raises(InvalidModel, match="'other'; expected what its metadata says: net"):
        Catalog([tmp_path], default="other").load()
