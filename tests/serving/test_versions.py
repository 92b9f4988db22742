"""Several versions of one model side by side."""

from pathlib import Path

import numpy as np
import pytest

from serving import catalog
from serving.catalog import Catalog
from serving.errors import InvalidConfig, UnknownModel
from serving.names import ModelName
from serving.reload import renewed
from tests.serving.networks import Network, community


def put(folder: Path, stem: str, network: Network) -> Path:
    return network.save(folder).rename(folder / f"{stem}.onnx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Versions 1, 2 and 10; the second has an 8-bit twin."""
    for number, stem in enumerate(("net@10", "net@2")):
        put(tmp_path, stem, Network("net", seed=number))
    put(tmp_path, "net-int8@2", Network("net-int8", precision="int8"))
    Network("net", seed=9).save(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "stem", "version"),
    [
        ("net", "net", None),
        ("net@2", "net", 2),
        ("a@b@12", "a@b", 12),
        ("net@", "net@", None),
        ("net@0", "net@0", None),
        ("net@02", "net@02", None),
        ("@2", "@2", None),
        ("net@9999999999", "net@9999999999", None),
    ],
)
def test_a_version_is_a_number_at_the_end(text: str, stem: str, version: int | None) -> None:
    assert ModelName.parse(text) == ModelName(stem, version)
    assert str(ModelName.parse(text)) == text


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("", "net@10"),
        ("net", "net@10"),
        ("net@10", "net@10"),
        ("net@2", "net-int8@2"),
        ("net-fp32@2", "net@2"),
        ("net-int8", "net-int8@2"),
        ("net@1", "net"),
    ],
)
def test_a_name_alone_is_the_newest_and_each_can_be_chosen(
    folder: Path, name: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "has_integer_dot_products", lambda: True)
    models = Catalog([folder], default="net")
    assert models.path(name).stem == file
    full = models.resolve(name)
    assert models.path(full).stem == file
    assert models.load(name) is models.load(full)


def test_those_that_can_be_asked_for_are_listed(folder: Path) -> None:
    names = Catalog([folder], default="net").names
    mine = [name for name in names if name.startswith("net")]
    assert mine == ["net", "net-fp32", "net-int8", "net@1", "net@10", "net@2"]


def test_a_version_that_is_not_there_is_refused(folder: Path) -> None:
    models = Catalog([folder], default="net")
    with pytest.raises(UnknownModel, match=r"model is 'net@3'; expected one of: .*net@10"):
        models.load("net@3")


def test_a_file_without_a_version_is_the_first(folder: Path) -> None:
    put(folder, "net@1", Network("net"))
    Network("net").save(folder)
    with pytest.raises(InvalidConfig, match="another name"):
        Catalog([folder], default="net")


def test_a_model_without_metadata_has_versions_too(tmp_path: Path) -> None:
    (tmp_path / "4x@2.onnx").write_bytes(community(Network("4x")).SerializeToString())
    assert Catalog([tmp_path], default="4x").load().info.name == "4x"


def test_a_newer_version_of_a_bundled_model_takes_its_place(tmp_path: Path) -> None:
    put(tmp_path, "x4-fast@2", Network("x4-fast"))
    models = Catalog([tmp_path])
    assert models.path("x4-fast").parent == tmp_path
    assert models.path("x4-fast@1") != models.path("x4-fast")
    assert models.load("x4-fast@1", np.uint16).info.precision.value == "fp32"


def test_a_bad_newer_version_leaves_the_older_one(folder: Path) -> None:
    old = Catalog([folder], "net")
    model = old.load()
    (folder / "net@11.onnx").write_bytes(b"nonsense")
    new, refused = renewed(old)
    assert len(refused) == 1
    assert new.load() is model
