"""The benchmark times each engine in a process of its own and prints medians and their ratios."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srgan.generators import GeneratorName, GeneratorSpec, save_generator
from tests.srgan import community
from tests.srgan.pictures import save_pictures
from tools import benchmark as program
from tools.engines import NEEDS, Engine, _upscaler, installed
from tools.export_onnx import ExportConfig, export, export_onnx
from tools.ncnn_file import write_ncnn
from tools.speed_table import Timing, write_rows


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    made = []
    for name, blocks in (("small", 1), ("large", 16)):
        spec = GeneratorSpec("light", 4, 32, blocks)
        generator = folder / f"{name}.safetensors"
        save_generator(generator, spec, spec.build().state_dict(), {})
        made.append(folder / f"{name}.onnx")
        assert export(ExportConfig(generator, made[-1]))
    return made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> object:
    monkeypatch.setattr("sys.argv", ["benchmark", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        program.main()
    return end.value.code


def test_ratios_are_to_the_first_row(
    models: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    plot = tmp_path / "plot.png"
    quality = save_pictures(tmp_path / "set", 1, 32, 40)[0].parent
    options = ["--engines", "ours", "--sizes", "48", "--threads", "1", "--runs", "5", "--files"]
    options += ["--plot", str(plot), "--quality", str(quality)]
    rivals = tmp_path / "rivals.csv"
    rivals.write_text(f"network,engine,megapixels_per_second,{quality.name}\nother,fast,3,25\n")
    options += ["--rivals", str(rivals)]
    assert run(monkeypatch, *models, *options) == 0
    title, _, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("1 threads of ")
    (*first, small, _, small_ms, one, _, _, _, _), second = (row.split()[:10] for row in rows)
    _, _, large, _, large_ms, ratio, _, gops, *_ = second
    assert first == ["48x48", "files"]
    assert (small, large, one) == ("small.onnx", "large.onnx", "1.00")
    operations = 2 * GeneratorSpec("light", 4, 32, 16).build().macs_per_lr_pixel * 48**2
    assert float(gops) == pytest.approx(operations / float(large_ms) / 1e6, rel=0.05, abs=1)
    assert float(ratio) > 2  # eight times the multiply-adds
    assert float(ratio) == pytest.approx(float(large_ms) / float(small_ms), rel=0.2)
    with Image.open(plot) as drawn:
        assert min(drawn.size) > 300


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "ncnn", "torch", "torch-bf16"])
def test_every_engine_makes_the_same_picture(name: str, models: list[Path]) -> None:
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    expected = _upscaler("ours", models[0], 1)(pixels).astype(int)
    file = models[0].with_suffix(".safetensors") if name.startswith("torch") else models[0]
    result = _upscaler(name, file, 1)(pixels).astype(int)
    assert np.abs(result - expected).max() <= (6 if name == "torch-bf16" else 1)


def test_ncnns_own_files_are_run_by_ncnn(models: list[Path], tmp_path: Path) -> None:
    if not installed("ncnn"):
        pytest.skip("ncnn is not installed")
    param, _ = write_ncnn(models[0], tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    expected = _upscaler("ours", models[0], 1)(pixels).astype(int)
    assert np.abs(_upscaler("ncnn", param, 1)(pixels) - expected).max() <= 1
    param.with_suffix(".bin").unlink()
    with pytest.raises(ValueError, match=r"ncnn cannot read .*model\.param"):
        _upscaler("ncnn", param, 1)


@pytest.mark.parametrize("name", ["plain", "light"])
def test_in_ncnns_files_each_blob_is_made_once_and_read_once(
    name: GeneratorName, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    export_onnx(GeneratorSpec(name, 4, 16, 3).build().eval(), model, {"scale": "4"})
    param, _ = write_ncnn(model, tmp_path)
    made: list[str] = []
    read: list[str] = []
    for line in param.read_text().splitlines()[2:]:
        _, _, inputs, outputs, *rest = line.split()
        read += rest[: int(inputs)]
        made += rest[int(inputs) : int(inputs) + int(outputs)]
    assert len(set(made)) == len(made)
    assert sorted(read) == sorted(set(made) - {"hr"})


def test_long_names_stay_apart_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    name = "realesr-animevideov3-x4.param"
    write_rows([Timing("onnxruntime", Path(name), 16, 12345.6, 2, 0)], (1280, 853), False)
    assert capsys.readouterr().out.split()[:5] == [
        "1280x853", "pixels", name, "onnxruntime", "12345600.0",
    ]  # fmt: skip


def test_no_other_engine_is_given_them(
    models: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    param = models[0].with_suffix(".param")
    param.write_text("7767517")
    assert run(monkeypatch, param, "--engines", "ours", "torch") == 2
    assert "none of the engines runs any of the models" in capsys.readouterr().err


def test_an_engine_that_cannot_open_its_file_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    picture = save_pictures(tmp_path, 1, 8, 8)[0]
    with pytest.raises(RuntimeError, match=r"ours on .*broken\.onnx ended"):
        Engine("ours", broken, 1, picture)


@pytest.mark.parametrize(
    "options",
    [
        ["--runs", "0"],
        ["--sizes", "0"],
        ["nowhere.onnx"],
        ["--engines", "none"],
        ["--files", "--pixels"],
        ["--plot", "plot.png", "--quality", "nowhere"],
        ["--plot", "plot.xyz", "--quality", "photos"],
        ["--plot", "photos", "--quality", "photos"],
        ["--plot", "plot.png", "--quality", "broken"],
        ["--picture", "broken/broken.png"],
    ],
)
def test_what_cannot_be_timed_is_exit_code_2(
    options: list[str],
    models: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    save_pictures(Path("photos"), 1)
    save_pictures(Path("broken"), 1)[0].rename("broken/0.png")
    Path("broken/broken.png").write_bytes(b"no picture")
    assert run(monkeypatch, models[0], *options) == 2
    assert capsys.readouterr().out == ""  # no row


def test_another_projects_checkpoint_is_timed_by_torch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    theirs = community.save(tmp_path / "theirs.pth", community.compact(4))
    options = ["--pixels", "--sizes", "16", "--threads", "1", "--runs", "1"]
    assert run(monkeypatch, theirs, *options) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()[2:]]
    assert [(*row[:4], row[7]) for row in rows] == [
        ("16x16", "pixels", "theirs.pth", "torch", "-"),
        ("16x16", "pixels", "theirs.pth", "torch-bf16", "-"),
    ]


@pytest.mark.parametrize("options", [["--pixels"], ["--files"]])
def test_megapixels_are_those_of_the_network_s_own_scale(
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    spec = GeneratorSpec("light", 2, 16, 1)
    source, path = tmp_path / "twice.safetensors", tmp_path / "twice.onnx"
    save_generator(source, spec, spec.build().state_dict(), {})
    assert export(ExportConfig(source))
    options = [*options, "--engines", "ours", "--sizes", "40", "--threads", "1", "--runs", "1"]
    assert run(monkeypatch, path, *options) == 0
    _, _, row = capsys.readouterr().out.splitlines()
    _, _, _, _, ms, _, speed, *_ = row.split()
    assert float(ms) * float(speed) == pytest.approx(80 * 80 / 1000, rel=0.1)


def test_without_options_one_table_has_three_sizes_both_ways_and_all_that_is_installed(
    models: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def timed(pairs: Sequence[tuple[str, Path]], picture: Path, *_: object) -> list[Timing]:
        with Image.open(picture) as opened:
            return [Timing(*pair, 16 * opened.width**2, 0.1, 1, 0) for pair in pairs]

    monkeypatch.setattr(program, "time_engines", timed)
    monkeypatch.setattr(program, "installed", lambda name: NEEDS[name] in ("onnxruntime", "torch"))
    assert run(monkeypatch, *models) == 0
    assert caplog.messages == ["not installed: ncnn, openvino"]
    _, columns, *rows = capsys.readouterr().out.splitlines()
    assert columns.split()[:5] == ["picture", "way", "model", "engine", "ms"]
    assert [tuple(row.split()[:4]) for row in rows] == [
        (f"{side}x{side}", way, model.name, engine)
        for side in (128, 256, 512)
        for way in ("pixels", "files")
        for model in models
        for engine in ("ours", "onnxruntime")
    ]
