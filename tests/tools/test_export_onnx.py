"""Export: the file does what the network does and says what it is, or there is no file."""

import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

import srgan
from core.command import UserError
from serving.catalog import Catalog
from srgan.evaluation.measures import fidelity
from srgan.evaluation.scores import score_set
from srgan.evaluation.sets import pairs
from srgan.generators import Generator, GeneratorSpec, Light, save_generator
from srgan.upscalers import open_upscaler
from tests.programs import run
from tests.srgan.pictures import save_pictures
from tools import equality
from tools import export_onnx as program
from tools import quantise as quantiser
from tools.equality import ExportError, largest_difference
from tools.export_onnx import ExportConfig, export, export_onnx, farthest_reach
from tools.quantise import QuantisationError, quantise

LIGHT = GeneratorSpec("light", 2, 16, 1)
SRRESNET = GeneratorSpec("srresnet", 4, 4, 1)


def network_of(spec: GeneratorSpec) -> Generator:
    torch.manual_seed(1)
    network = spec.build()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)  # type: ignore[arg-type]
    return network.eval()


def saved(folder: Path, spec: GeneratorSpec) -> Path:
    path = folder / f"{spec.name}.safetensors"
    save_generator(path, spec, network_of(spec).state_dict(), {"steps": 12})
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_pictures(tmp_path_factory.mktemp("photos"), 6, 130, 150)[0].parent


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A folder with light.safetensors, what it was exported to, and the twins of that."""
    folder = tmp_path_factory.mktemp("exported")
    source = saved(folder, LIGHT)
    config = ExportConfig(source, int8=True, fp16=True, pictures=photos)
    assert export(replace(config, triton=folder / "repository"))
    return folder


def metadata_of(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def test_only_the_files_asked_for_appear(exported: Path) -> None:
    assert {p.name for p in exported.iterdir()} == {
        "light.safetensors", "light.onnx", "light-int8.onnx", "light-fp16.onnx", "repository",
    }  # fmt: skip
    assert {p.name for p in (exported / "repository").iterdir()} == {
        "light", "light-int8", "light-fp16",
    }  # fmt: skip


@pytest.mark.parametrize("spec", [LIGHT, SRRESNET], ids=str)
def test_the_file_computes_what_the_network_does_at_any_size(
    spec: GeneratorSpec, tmp_path: Path, exported: Path
) -> None:
    network, path = network_of(spec), exported / "light.onnx"
    if spec is SRRESNET:
        path = tmp_path / "model.onnx"
        export_onnx(network, path, {"scale": str(spec.scale)})
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for shape in ((1, 1, 1), (1, 3, 40), (2, 11, 13)):
        lr = torch.rand(shape[0], 3, *shape[1:])
        (got,) = session.run(["hr"], {"lr": lr.numpy()})
        with torch.no_grad():
            np.testing.assert_allclose(got, network(lr).numpy(), atol=1e-5)
    assert largest_difference(network, path) < 1e-5


def test_metadata_tells_all_that_a_service_needs(exported: Path) -> None:
    metadata = metadata_of(exported / "light.onnx")
    architecture = metadata.pop("architecture")
    assert json.loads(architecture) == {"name": "light", "scale": 2, "width": 16, "blocks": 1}
    assert json.loads(metadata.pop("training_run")) == {"steps": 12}
    assert metadata == {
        "format_version": "1",
        "name": "light",
        "scale": "2",
        "halo": "4",
        "input_range": "0..1",
        "color_order": "RGB",
        "precision": "fp32",
        "license": "MIT",
    }


def test_the_8_bit_twin_says_the_same_under_its_own_name(exported: Path) -> None:
    own = {"name": "light-int8", "precision": "int8", "input_range": "0..255"}
    assert metadata_of(exported / "light-int8.onnx") == metadata_of(exported / "light.onnx") | own


def test_the_twin_in_half_precision_is_smaller_and_nearly_equal(exported: Path) -> None:
    plain, twin = exported / "light.onnx", exported / "light-fp16.onnx"
    assert twin.stat().st_size < 0.7 * plain.stat().st_size
    own = {"name": "light-fp16", "precision": "fp16"}
    assert metadata_of(twin) == metadata_of(plain) | own
    assert interface(twin) == interface(plain)
    assert 0 < largest_difference(network_of(LIGHT), twin) < 2e-3


@pytest.mark.parametrize("name", ["mine", "mine@2"])
def test_what_a_file_is_called_is_the_models_name_in_the_service(
    name: str, exported: Path, photos: Path, tmp_path: Path
) -> None:
    source, out = exported / "light.safetensors", tmp_path / f"{name}.onnx"
    assert export(ExportConfig(source, out=out, int8=True, fp16=True, pictures=photos))
    version = name.removeprefix("mine")
    wanted = [f"mine{version}", f"mine-int8{version}", f"mine-fp16{version}"]
    assert {file.stem for file in tmp_path.iterdir()} == {*wanted}
    for stem in wanted:
        path = tmp_path / f"{stem}.onnx"
        Catalog([path], stem).load()
        assert f"{metadata_of(path)['name']}{version}" == stem


def test_a_file_that_the_service_would_not_look_at_is_refused() -> None:
    with pytest.raises(UserError, match=r"--out must end in \.onnx, not 'mine\.bin'"):
        ExportConfig(out=Path("runs/mine.bin"))


def test_nothing_is_left_to_simplify(exported: Path) -> None:
    nodes = [node.op_type for node in onnx.load(exported / "light.onnx").graph.node]
    assert sorted(nodes) == sorted([*["Conv"] * 4, "Relu", "Add", "DepthToSpace", "Resize", "Add"])


@pytest.mark.parametrize("given", [True, False])
def test_equality_is_shown_on_noise_and_on_photographs_of_the_twin_as_well(
    given: bool, tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = saved(tmp_path, LIGHT)
    with caplog.at_level(logging.INFO):
        assert export(ExportConfig(source, fp16=True, pictures=photos if given else None))
    for kind in ("noise", "photographs"):
        shown = re.findall(rf"largest difference .* on {kind}: \d\.\de-0(\d)", caplog.text)
        whole, half = map(int, shown)
        assert whole >= 5
        assert 3 <= half < whole


def test_a_twin_that_differs_on_photographs_alone_is_refused(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def difference(_network: object, path: Path, inputs: Sequence[Tensor]) -> float:
        return 0.02 if "fp16" in path.name and len(inputs) == 4 else 1e-5

    monkeypatch.setattr(equality, "largest_difference", difference)
    source = saved(tmp_path, LIGHT)
    with pytest.raises(ExportError, match=r"2\.00e-02 on photographs, allowed is 1e-02"):
        export(ExportConfig(source, fp16=True, pictures=photos))
    assert {p.name for p in tmp_path.iterdir()} == {"light.safetensors", "light.onnx"}


@pytest.mark.parametrize("name", ["light.onnx", "light-int8.onnx"])
def test_nothing_in_a_file_tells_of_the_machine_that_made_it(name: str, exported: Path) -> None:
    content = (exported / name).read_bytes()
    here = [
        Path(program.__file__).parent.parent,
        exported,
        Path(torch.__file__).parent,
        Path.home(),
    ]
    for folder in here:
        assert str(folder).encode() not in content
    assert not re.search(rb"\w\.py\b", content)


def test_two_exports_are_equal_to_the_byte(exported: Path, tmp_path: Path) -> None:
    again = tmp_path / "light.onnx"
    assert export(ExportConfig(exported / "light.safetensors", out=again))
    assert again.read_bytes() == (exported / "light.onnx").read_bytes()


def test_a_network_and_its_file_score_alike(exported: Path, photos: Path) -> None:
    upscalers = [
        open_upscaler(str(exported / name), 4) for name in ("light.safetensors", "light.onnx")
    ]
    network, file = score_set("photos", upscalers, pairs(photos, 2), fidelity(border=2))
    for name in ("psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb"):
        assert network.mean(name) == pytest.approx(file.mean(name), abs=1e-4)


class Pretender(Light):
    """A network that adds something while it is exported."""

    def __init__(self, addition: float) -> None:
        super().__init__(2, 16, 1)
        self.addition = addition

    def forward(self, lr: Tensor) -> Tensor:
        hr = super().forward(lr)
        return hr + self.addition if torch.compiler.is_exporting() else hr


@pytest.mark.parametrize("addition", [1e-3, float("nan")])
def test_a_file_that_differs_from_the_network_is_refused_and_leaves_nothing(
    addition: float, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=r"ONNX Runtime and torch differ by .* allowed is 1e-04"):
        export_onnx(Pretender(addition).eval(), tmp_path / "model.onnx", {})
    assert list(tmp_path.iterdir()) == []


def test_a_refused_file_leaves_the_old_one_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr(equality, "largest_difference", lambda *_arguments: 0.5)
    with pytest.raises(ExportError, match=r"differ by 5\.00e-01"):
        export_onnx(network_of(LIGHT), path, {})
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


def test_a_network_that_looks_further_than_its_halo_says_is_refused(tmp_path: Path) -> None:
    network = network_of(LIGHT)
    assert farthest_reach(network) == 4
    network.halo = 3
    with pytest.raises(ExportError, match="looks 4 pixels far, its halo says 3"):
        export_onnx(network, tmp_path / "model.onnx", {})
    assert list(tmp_path.iterdir()) == []


def test_int8_without_photographs_is_a_usage_error(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["export", str(exported / "light.safetensors"), "--int8"])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 2
    assert (
        capsys.readouterr().err
        == "error: --int8 needs --pictures FOLDER: photographs to calibrate on\n"
    )


def test_the_file_has_the_operators_that_were_asked_for(tmp_path: Path) -> None:
    for opset in (17, 21):
        export_onnx(network_of(LIGHT), tmp_path / "model.onnx", {}, opset)
        (operators,) = onnx.load(tmp_path / "model.onnx").opset_import
        assert (operators.domain, operators.version) == ("", opset)


@pytest.mark.parametrize("opset", [7, 11, 16, 99])
def test_operators_that_no_file_would_have_are_refused_at_once(opset: int) -> None:
    with pytest.raises(UserError, match=rf"--opset must be 17 to \d\d, not {opset}"):
        ExportConfig(opset=opset)


def test_a_file_with_other_operators_than_asked_for_is_refused(tmp_path: Path) -> None:
    """There are no adapters from torch's Shape and Identity to those of so old a version."""
    with pytest.raises(ExportError, match=r"cannot be written with opset 11; .* such as 18"):
        export_onnx(network_of(LIGHT), tmp_path / "model.onnx", {}, 11)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"not a generator"])
def test_a_generator_that_cannot_be_read_is_an_error_that_names_it(
    content: bytes | None, tmp_path: Path
) -> None:
    source = tmp_path / "generator.safetensors"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(UserError, match=str(source)):
        export(ExportConfig(source))
    assert not source.with_suffix(".onnx").exists()


def interface(path: Path) -> list[tuple[str, list[object], str]]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [(x.name, x.shape, x.type) for x in (*session.get_inputs(), *session.get_outputs())]


def test_the_8_bit_twin_has_quantised_convolutions_and_works_on_pixels(exported: Path) -> None:
    plain, twin = exported / "light.onnx", exported / "light-int8.onnx"
    graph = onnx.load(twin).graph
    made_by = {output: node for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 5  # four, and the one that repeats the input
    for node in convolutions:
        assert {made_by[name].op_type for name in node.input} == {"DequantizeLinear"}
    weights = {tensor.name: tensor for tensor in graph.initializer}
    first = weights[made_by[convolutions[0].input[1]].input[0]]
    assert first.data_type == onnx.TensorProto.INT8
    scales = weights[made_by[convolutions[0].input[1]].input[1]]
    assert list(scales.dims) == [16]  # a range for each output channel
    assert "QuantizeLinear" not in {node.op_type for node in onnx.load(plain).graph.node}
    sides = [["batch", "height", "width", 3], ["batch", "rows", "columns", 3]]
    assert [each[1:] for each in interface(twin)] == [(side, "tensor(uint8)") for side in sides]


def test_the_twin_computes_nearly_the_same(exported: Path) -> None:
    lr = torch.rand(1, 3, 20, 24)
    plain, twin = (
        open_upscaler(str(exported / name), 2).run(lr) for name in ("light.onnx", "light-int8.onnx")
    )
    assert 0 < float((plain - twin).abs().mean()) < 0.02


def test_the_loss_of_each_crop_is_returned(exported: Path, photos: Path, tmp_path: Path) -> None:
    plain, twin = exported / "light.onnx", tmp_path / "twin.onnx"
    losses = quantise(plain, twin, photos, 2)
    assert abs(losses.mean) < 0.05
    assert losses.worst.visible < 0.3
    names = [f"{number:04}.png" for number in (0, 2, 4)]  # the others calibrate
    assert [crop.crop for crop in losses.crops] == [*names, "0000.png, even", "0004.png, dark"]
    assert [p.name for p in tmp_path.iterdir()] == ["twin.onnx"]


@pytest.mark.parametrize("one", [False, True], ids=["all crops lose", "one crop loses"])
def test_the_convolution_that_suffers_most_keeps_its_floats(
    one: bool, exported: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def write(_prepared: Path, out: Path, _crops: object, floats: list[str], _scale: int) -> None:
        out.write_bytes(b"")
        asked.append([*floats])

    def scores(model: Path, crops: Sequence[object], _scale: int) -> list[float]:
        if model.name == "light.onnx":
            return [30.0] * len(crops)
        helped = "node_conv2d_2" in asked[-1]
        if not one:
            return [29.9 + 0.06 * helped] * len(crops)
        return [30.0] * (len(crops) - 1) + [29.6 + 0.2 * helped]

    monkeypatch.setattr(quantiser, "_write_twin", write)
    monkeypatch.setattr(quantiser, "scores", scores)
    losses = quantise(exported / "light.onnx", tmp_path / "twin.onnx", photos, 2)
    assert losses.mean == pytest.approx(0.0 if one else 0.04)
    assert losses.worst.visible == pytest.approx(0.2 if one else 0.04)
    each = [["node_conv2d_1"], ["node_conv2d_2"], ["node_conv2d_3"]]
    assert asked == [[], *each, ["node_conv2d_2"]]  # the one at the picture is not among them


def test_a_range_leaves_out_the_few_values_that_would_cost_all_others_precision(
    exported: Path,
) -> None:
    random = torch.Generator().manual_seed(0)
    crops = [0.4 + 0.02 * torch.rand(1, 3, 40, 40, generator=random) for _ in range(3)]
    even = quantiser._ranges(exported / "light.onnx", crops)
    crops[0][0, :, 20, 20] = 1
    wide = quantiser._ranges(exported / "light.onnx", crops)
    assert set(even) == set(wide)
    seen: dict[str, tuple[float, float]] = {}
    for name, values in activations(exported / "light.onnx", [*wide], crops[0]).items():
        seen[name] = float(values.min()), float(values.max())
    cut = [name for name in wide if wide[name][1] < seen[name][1]]
    assert cut
    for name, (low, high) in wide.items():
        assert low <= 0 <= high
        if "relu" in name:
            assert low == 0


def activations(path: Path, names: list[str], crop: Tensor) -> dict[str, np.ndarray]:
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return dict(zip(names, session.run(names, {"lr": crop.numpy()}), strict=True))


def ruin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantiser, "LARGEST_LOSS", -100.0)


def measure_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = float("nan")
    monkeypatch.setattr(quantiser, "scores", lambda _model, crops, _scale: [nothing] * len(crops))


@pytest.mark.parametrize("spoil", [ruin, measure_nothing])
def test_a_twin_that_loses_too_much_is_refused(
    spoil: Callable[[pytest.MonkeyPatch], None],
    exported: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(monkeypatch)
    with pytest.raises(QuantisationError, match="the 8-bit twin loses"):
        quantise(exported / "light.onnx", tmp_path / "twin.onnx", photos, 2)


def test_an_export_tells_of_each_crop_and_how_many_lose_too_much(
    exported: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No choice of floats helps here, and the mean is as it should be: the file is written."""

    def scores(model: Path, crops: Sequence[object], _scale: int) -> list[float]:
        return [40.0] * (len(crops) - 1) + [39.0 if "int8" in model.name else 40.0]

    monkeypatch.setattr(quantiser, "scores", scores)
    source, out = exported / "light.safetensors", tmp_path / "x.onnx"
    with caplog.at_level(logging.INFO):
        assert export(ExportConfig(source, out=out, int8=True, pictures=photos))
    lines = caplog.text.splitlines()
    assert "0002.png: 0.000 dB of 40.00" in lines
    assert "0004.png, dark: 1.000 dB of 40.00" in lines
    assert lines[-1] == (
        "the twin loses 0.000 dB on average, 1.000 at the worst of 5 crops (0004.png, dark); "
        "1 above 0.3"
    )


def test_an_export_whose_twin_is_refused_leaves_the_plain_file_alone(
    exported: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(_network: Generator, path: Path, *_rest: object) -> None:
        path.write_bytes((exported / "light.onnx").read_bytes())

    ruin(monkeypatch)
    monkeypatch.setattr(program, "export_onnx", copied)
    config = ExportConfig(exported / "light.safetensors", out=tmp_path / "x.onnx", int8=True,
                          pictures=photos)  # fmt: skip
    with pytest.raises(QuantisationError):
        export(config)
    assert [p.name for p in tmp_path.iterdir()] == ["x.onnx"]


def test_one_photograph_cannot_both_calibrate_and_judge(exported: Path, tmp_path: Path) -> None:
    photos = save_pictures(tmp_path / "one", 1)[0].parent
    with pytest.raises(UserError, match="must hold at least 2 photographs, not 1"):
        quantise(exported / "light.onnx", tmp_path / "twin.onnx", photos, 2)


def test_without_a_name_the_last_run_is_exported_or_else_what_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(ExportConfig())
    shipped = {p.key: p.value for p in onnx.load(tmp_path / "x4-fast.onnx").metadata_props}
    assert (shipped["name"], shipped["scale"]) == ("x4-fast", "4")
    torch.manual_seed(0)
    spec = GeneratorSpec("light", 2, 16, 1)
    run = tmp_path / "runs" / "srgan"
    run.mkdir(parents=True)
    save_generator(run / "generator.safetensors", spec, spec.build().state_dict(), {})
    assert export(ExportConfig())
    last = {p.key: p.value for p in onnx.load(run / "generator.onnx").metadata_props}
    assert last["scale"] == "2"


def _words_in(file: Path) -> str:
    """Everything in a shipped file that is text, without its weights."""
    if file.suffix == ".safetensors":
        with safe_open(file, "pt") as opened:
            return json.dumps(opened.metadata())
    if file.suffix == ".onnx":
        model = onnx.load(file)
        del model.graph.initializer[:]
        return str(model)
    return file.read_text()


def test_a_shipped_generator_says_nothing_about_the_disk_that_it_was_made_on() -> None:
    folder = Path(srgan.__file__).parent / "weights"
    files = [*folder.glob("*.safetensors"), *folder.parent.parent.glob("serving/models/*")]
    assert len(files) >= 3
    for file in files:
        assert not re.findall(r'"(?:/|\.\./|[A-Z]:\\)[^"]*"', _words_in(file)), file


def test_the_command_works_as_it_is_documented(tmp_path: Path) -> None:
    """Run by its path, it looks for modules in tools/ first: none may be called like another."""
    source = saved(tmp_path, LIGHT)
    code, output = run("tools/export_onnx.py", source, "--out", tmp_path / "light.onnx")
    assert code == 0, output
    assert (tmp_path / "light.onnx").is_file()
