"""Model files from elsewhere: no metadata, other names, ranges, channel orders and shapes."""

from pathlib import Path

import numpy as np
import onnx
import pytest

import serving.model
from serving.catalog import Catalog
from serving.engine import LARGEST_WHOLE, upscale
from serving.errors import ImageTooLarge, InvalidConfig, InvalidModel
from serving.hints import Hints
from serving.model import Model, load_model
from tests.serving.files import checker
from tests.serving.networks import LAYERS, Network, community

NETWORK = Network("net", strength=0.5)
PICTURE = checker(3, height=70, width=90)


def saved(model: onnx.ModelProto, folder: Path, name: str = "community") -> Path:
    path = folder / f"{name}.onnx"
    onnx.save(model, str(path))
    return path


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The same network with metadata."""
    return load_model(NETWORK.save(tmp_path_factory.mktemp("reference")))


@pytest.mark.parametrize("levels", [1, 255])
@pytest.mark.parametrize("bgr", [False, True])
@pytest.mark.parametrize("size", [None, 48])
def test_conventions_are_found_out(
    reference: Model, tmp_path: Path, levels: int, bgr: bool, size: int | None
) -> None:
    path = saved(community(NETWORK, levels, bgr, size), tmp_path)
    model = load_model(path, hints=Hints(color_order="BGR" if bgr else "RGB"))
    assert (model.info.name, model.info.scale) == ("community", 4)
    assert model.info.halo is not None
    assert 1 <= model.info.halo <= LAYERS
    result = upscale(model, PICTURE, np.uint8, tile=48)
    expected = upscale(reference, PICTURE, np.uint8)
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_a_picture_smaller_than_a_fixed_size_is_continued(reference: Model, tmp_path: Path) -> None:
    model = load_model(saved(community(NETWORK, size=48), tmp_path))
    result = upscale(model, PICTURE[:20, :30], np.uint8)
    expected = upscale(reference, PICTURE[:20, :30], np.uint8)
    inner = np.s_[: 17 * 4, : 27 * 4]
    assert result.shape == expected.shape
    assert np.abs(result[inner].astype(int) - expected[inner]).max() <= 1


@pytest.mark.parametrize("blocks", [2, 8])
@pytest.mark.parametrize("size", [(70, 90), (5, 7), (64, 129)])
def test_sides_that_must_be_multiples_are_padded(
    reference: Model, tmp_path: Path, blocks: int, size: tuple[int, int]
) -> None:
    model = load_model(saved(community(NETWORK, blocks=blocks), tmp_path))
    assert model.multiple == blocks
    pixels = checker(3, height=size[0], width=size[1])
    tiled = upscale(model, pixels, np.uint8, tile=40).astype(int)
    whole = upscale(model, pixels, np.uint8, tile=1000).astype(int)
    expected = upscale(reference, pixels, np.uint8)
    assert np.abs(tiled - whole).max() <= 1
    inner = tuple(slice(4 * (side - LAYERS)) for side in size)  # what sees no padding
    assert tiled.shape == expected.shape
    assert np.abs(tiled[inner] - expected[inner]).max() <= 1


def test_what_was_found_out_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(community(NETWORK, levels=255), tmp_path)
    first = load_model(path)

    def refuse(*_: object) -> None:
        raise AssertionError("probed again")

    with monkeypatch.context() as patch:
        patch.setattr(serving.model, "probe", refuse)
        assert load_model(path).info == first.info
        with pytest.raises(InvalidModel, match="probed again"):
            load_model(path, hints=Hints(halo=7))
        with pytest.raises(InvalidModel, match="probed again"):
            load_model(saved(community(Network("new", seed=9)), tmp_path, "new"))


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_the_scale_is_told_by_the_shapes(tmp_path: Path, scale: int) -> None:
    path = saved(community(Network("net", scale)), tmp_path)
    assert load_model(path).info.scale == scale


def test_half_precision_inputs_are_converted(reference: Model, tmp_path: Path) -> None:
    model = community(NETWORK)
    graph = model.graph
    for tensor, inner in ((graph.input[0], "wide"), (graph.output[0], "narrow")):
        tensor.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
        outer, tensor.name = tensor.name, inner
        for node in graph.node:
            node.input[:] = ["image" if name == "image" else name for name in node.input]
        tensor.name = outer
    first, last = graph.node[0], graph.node[-1]
    first.input[0], last.output[0] = "image32", "upscaled32"
    graph.node.insert(0, onnx.helper.make_node("Cast", ["image"], ["image32"], to=1))
    graph.node.append(onnx.helper.make_node("Cast", ["upscaled32"], ["upscaled"], to=10))
    result = upscale(load_model(saved(model, tmp_path)), PICTURE, np.uint8)
    assert np.abs(result.astype(int) - upscale(reference, PICTURE, np.uint8)).max() <= 1


def test_a_model_that_sees_the_whole_picture_is_not_tiled(tmp_path: Path) -> None:
    path = saved(community(NETWORK, whole=True), tmp_path)
    model = load_model(path, hints=Hints(input_range="0..1"))
    assert model.info.halo is None
    whole = upscale(model, PICTURE, np.uint8, tile=16)
    expected = model.run(np.divide(PICTURE.transpose(2, 0, 1)[None], 255, dtype=np.float32))[0]
    assert np.abs(whole - 255 * expected.clip(0, 1).transpose(1, 2, 0)).max() <= 0.51
    large = np.zeros((1, LARGEST_WHOLE + 1, 3), np.uint8)
    with pytest.raises(ImageTooLarge, match="as a whole and so cannot work by tiles"):
        upscale(model, large, np.uint8)
    with pytest.raises(InvalidModel, match="made for 48x48 pixels only, and sees them all"):
        load_model(saved(community(NETWORK, size=48, whole=True), tmp_path), hints=Hints("0..1"))


@pytest.mark.parametrize("gate", [0.2, 0.4])
def test_a_gate_that_all_of_the_picture_opens_is_found(tmp_path: Path, gate: float) -> None:
    path = saved(community(NETWORK, gated=gate), tmp_path)
    assert load_model(path, hints=Hints(input_range="0..1")).info.halo is None


def test_large_blocks_are_found_out(tmp_path: Path) -> None:
    model = load_model(saved(community(NETWORK, blocks=64), tmp_path))
    assert model.multiple == 64
    assert model.info.halo is not None
    assert upscale(model, PICTURE, np.uint8).shape == (280, 360, 3)


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (70, 1)])
def test_pictures_too_small_for_their_mirror_image_are_continued(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    model = load_model(saved(community(NETWORK, mirrored=2), tmp_path))
    pixels = PICTURE[: size[0], : size[1]]
    assert upscale(model, pixels, np.uint8).shape == (4 * size[0], 4 * size[1], 3)


def test_one_fixed_side_is_refused(tmp_path: Path) -> None:
    model = community(NETWORK)
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 64
    with pytest.raises(InvalidModel, match="expected both sides fixed, or neither"):
        load_model(saved(model, tmp_path))


def test_a_fixed_size_without_room_for_alpha_says_so(tmp_path: Path) -> None:
    model = load_model(saved(community(NETWORK, size=16), tmp_path), hints=Hints(halo=4))
    assert upscale(model, PICTURE, np.uint8).shape == (280, 360, 3)
    with pytest.raises(ImageTooLarge, match="none with alpha for model 'community'"):
        upscale(model, checker(4), np.uint8)


def test_what_cannot_be_found_out_names_the_option(tmp_path: Path) -> None:
    model = community(NETWORK)
    # A network that inverts returns its input at no range.
    model.graph.initializer[-1].CopyFrom(
        onnx.numpy_helper.from_array(np.array(-1, np.float32), "largest")
    )
    path = saved(model, tmp_path)
    with pytest.raises(InvalidModel, match="expected the option --input-range, 0"):
        load_model(path)
    assert load_model(path, hints=Hints(input_range="0..1")).info.halo == LAYERS


@pytest.mark.parametrize(
    ("levels", "largest", "ranges"),
    [
        (1, 255, "0..1 where it takes them and 0..255 where it gives them"),
        (255, 1, "0..255 where it takes them and 0..1 where it gives them"),
    ],
)
def test_two_ranges_in_one_network_are_no_matter_of_an_option(
    tmp_path: Path, levels: int, largest: int, ranges: str
) -> None:
    model = community(NETWORK, levels)
    model.graph.initializer[-1].CopyFrom(
        onnx.numpy_helper.from_array(np.array(largest, np.float32), "largest")
    )
    with pytest.raises(InvalidModel, match=f"values is {ranges}; expected one for both"):
        load_model(saved(model, tmp_path))


def test_a_result_that_is_no_enlargement_is_refused(tmp_path: Path) -> None:
    model = community(NETWORK)
    model.graph.node[-1].CopyFrom(
        onnx.helper.make_node("GlobalAveragePool", ["ordered"], ["upscaled"])
    )
    with pytest.raises(InvalidModel, match=r"community\.onnx: output is \[1, 3, 1, 1\]"):
        load_model(saved(model, tmp_path))


def test_a_catalog_offers_them_under_their_files_name(tmp_path: Path) -> None:
    saved(community(NETWORK, 255), tmp_path, "4x-community")
    catalog = Catalog([tmp_path], default="4x-community")
    assert catalog.load().info.name == "4x-community"


def test_a_negative_halo_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="halo is -1; expected 0 to 512"):
        Hints(halo=-1)
