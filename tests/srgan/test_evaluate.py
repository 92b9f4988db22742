"""``python -m srgan.evaluate``: published figures, any kind of model, clear errors."""

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import Tensor

from core.command import UserError
from srgan import evaluate as program
from srgan.evaluate import EvaluateConfig
from srgan.evaluation import measures
from srgan.evaluation.measures import Measure, fidelity
from srgan.evaluation.sets import inputs, pairs
from srgan.generators import GeneratorSpec, Light, load_generator, save_generator
from srgan.grid import grid_share
from srgan.metrics import quantise
from srgan.niqe import PristineModel, niqe
from srgan.patches import as_tensor
from srgan.stlpips import ShiftTolerantLPIPS
from srgan.upscalers import Upscaler, open_upscaler
from tests.conftest import DataFolder
from tests.programs import ROOT
from tests.srgan.pictures import picture, planes, save_pictures
from tools.export_onnx import export_onnx


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return save_pictures(tmp_path / "photos", 2, 50, 62)[0].parent


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> object:
    monkeypatch.setattr("sys.argv", ["evaluate", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        program.main()
    return end.value.code


@pytest.mark.parametrize(
    ("name", "psnr_y", "ssim_y"), [("Set5", 28.43, 0.811), ("Set14", 26.09, 0.705)]
)
def test_bicubic_has_the_published_figures(
    name: str,
    psnr_y: float,
    ssim_y: float,
    data_folder: DataFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "bicubic", "--sets", data_folder(name)) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:6] == ["model", "set", "PSNR-Y", "SSIM-Y", "PSNR-RGB", "SSIM-RGB"]
    model, of, *numbers = row.split()
    assert (model, of) == ("bicubic", name)
    assert float(numbers[0]) == psnr_y
    assert round(float(numbers[1]), 3) == ssim_y
    assert 1.3 < float(numbers[0]) - float(numbers[2]) < 2.3  # RGB is not Y


def small_model(folder: Path, scale: int) -> Path:
    spec = GeneratorSpec("light", scale, 16, 1)
    path = folder / "small.safetensors"
    save_generator(path, spec, spec.build().state_dict(), {})
    return path


def test_sets_by_models_make_the_table_also_as_json(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, out = small_model(tmp_path, 2), tmp_path / "new" / "table.json"
    other = save_pictures(tmp_path / "other", 1)[0].parent
    assert run(monkeypatch, "bicubic", model, "--sets", photos, other, "--scale", "3",
               "--json-out", out) == 0  # fmt: skip
    rows = capsys.readouterr().out.splitlines()[1:]
    names = [("bicubic", "photos"), ("small.safetensors", "photos"),
             ("bicubic", "other"), ("small.safetensors", "other")]  # fmt: skip
    assert [tuple(row.split()[:2]) for row in rows] == names
    table = json.loads(out.read_text())
    assert [(row["model"], row["set"]) for row in table] == names
    assert [f"{row['psnr_y']:.2f}" for row in table] == [row.split()[2] for row in rows]
    assert [each["picture"] for each in table[0]["each"]] == ["0000.png", "0001.png"]
    assert [path.name for path in out.parent.iterdir()] == ["table.json"]


def test_a_perfect_picture_is_inf_in_the_table_and_null_in_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grey = Image.new("RGB", (48, 48), (90, 90, 90))
    for name in ("HR", "LRx4"):
        (tmp_path / "flat" / name).mkdir(parents=True)
    grey.save(tmp_path / "flat/HR/a.png")
    grey.resize((12, 12)).save(tmp_path / "flat/LRx4/a.png")
    out = tmp_path / "table.json"
    assert run(monkeypatch, "bicubic", "--sets", tmp_path / "flat", "--json-out", out) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[2] == "inf"
    (row,) = json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(name))
    assert row["psnr_y"] is None
    assert row["left_out"] == {"psnr_y": 1, "psnr_rgb": 1}


def test_files_of_one_name_are_told_apart_by_their_folders(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = [tmp_path / "one", tmp_path / "two"]
    for folder in models:
        folder.mkdir()
        small_model(folder, 2)
    paths = [folder / "small.safetensors" for folder in models]
    assert run(monkeypatch, *paths, paths[0], "--sets", photos) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["one/small.safetensors", "two/small.safetensors"]


def test_the_page_has_a_section_for_each_set_and_scale(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, out = small_model(tmp_path, 2), tmp_path / "page.html"
    assert run(monkeypatch, "bicubic", "lanczos", model, "--sets", photos, "--html-out", out) == 0
    page = out.read_text(encoding="utf-8")
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == ["photos, 4 times larger, 2 pictures", "photos, 2 times larger, 2 pictures"]
    assert page.count("<figure>") == 2 * len(["original", "bicubic", "lanczos"]) + 2 * len(
        ["original", "bicubic", "small.safetensors"]
    )


def test_without_originals_naturalness_and_the_grid_are_all_that_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = save_pictures(tmp_path / "photos", 1, 48, 48)[0].parent
    assert run(monkeypatch, "bicubic", "--sets", photos, "--no-reference") == 0
    header, row = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header == ["model", "set", "NIQE", "Grid", "s/picture"]
    (sample,) = inputs(photos, 4)
    upscaled = quantise(open_upscaler("bicubic", 4).run(sample.lr))
    assert float(row[2]) == pytest.approx(niqe(upscaled, PristineModel.load()), abs=6e-4)


def test_each_model_is_measured_at_its_own_scale_without_its_border(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    borders: list[int] = []

    def watched(border: int) -> tuple[Measure, ...]:
        borders.append(border)
        return fidelity(border)

    monkeypatch.setattr(program, "fidelity", watched)
    model, out = small_model(tmp_path, 3), tmp_path / "table.json"
    program.evaluate(EvaluateConfig(("bicubic", str(model)), (photos,), json_out=out))
    assert [row["scale"] for row in json.loads(out.read_text())] == [4, 3]
    assert {4, 3} <= set(borders)
    borders.clear()
    program.evaluate(EvaluateConfig(("bicubic",), (photos,), border=7))
    assert 7 in borders
    assert 4 not in borders


@pytest.mark.parametrize(
    ("name", "kernel"),
    [("bicubic", Image.Resampling.BICUBIC), ("lanczos", Image.Resampling.LANCZOS)],
)
def test_interpolation_is_pillows(name: str, kernel: Image.Resampling) -> None:
    levels = [picture(11, 14, seed) for seed in (0, 1)]
    enlarged = open_upscaler(name, 3).run(as_tensor(levels))
    for got, small in zip(enlarged, levels, strict=True):
        wanted = np.array(Image.fromarray(small).resize((42, 33), kernel))
        assert torch.equal(got, planes(wanted).float() / 255)


@torch.no_grad()
def test_large_pictures_are_upscaled_in_tiles_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small_model(tmp_path, 2)
    lr = torch.rand(1, 3, 450, 9)
    whole = load_generator(path)[0](lr)
    heights: list[int] = []
    forward = Light.forward

    def watched(network: Light, lr: Tensor) -> Tensor:
        heights.append(lr.shape[-2])
        return forward(network, lr)

    monkeypatch.setattr(Light, "forward", watched)
    tiled = open_upscaler(str(path), 2).run(lr)
    assert max(heights) < 250
    assert torch.allclose(tiled, whole, atol=1e-6)


@pytest.mark.parametrize("name", ["x4-fast", "x2-fast-int8"])
def test_our_onnx_files_work_in_tiles_as_well(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upscaler = open_upscaler(str(ROOT / "serving" / "models" / f"{name}.onnx"), 4)
    lr = as_tensor([picture(450, 9)])
    tiled = upscaler.run(lr)
    monkeypatch.setattr("srgan.upscalers.upscale_in_tiles", lambda whole, lr, *_: whole(lr))
    difference = (tiled - upscaler.run(lr)).abs() * 255
    assert difference.max() < 1.01  # a sum in another order may be rounded to the next level
    assert difference.mean() < 0.001


def test_a_device_that_is_not_there_is_exit_code_2(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "bicubic", "--sets", photos, "--device", "foo") == 2
    assert "device 'foo' is not one that torch knows" in capsys.readouterr().err


def test_a_checkpoint_runs_on_the_device_that_was_asked_for(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[torch.device | str] = []

    def watched(model: str, scale: int, device: torch.device | str) -> Upscaler:
        opened.append(device)
        return open_upscaler(model, scale)

    monkeypatch.setattr(program, "open_upscaler", watched)
    model = small_model(tmp_path, 2)
    assert run(monkeypatch, model, "--sets", photos, "--device", "meta") == 0
    assert opened == [torch.device("meta")]


def without_twin(folder: Path) -> None:
    save_pictures(folder / "HR", 2, 48, 48)
    (folder / "LRx4").mkdir()
    Image.fromarray(picture(12, 12)).save(folder / "LRx4" / "0000.png")


def with_a_wrong_twin(folder: Path) -> None:
    save_pictures(folder / "HR", 1, 48, 48)
    (folder / "LRx4").mkdir()
    Image.fromarray(picture(12, 13)).save(folder / "LRx4" / "0000.png")


def unreadable(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"not a picture")


def too_small(folder: Path) -> None:
    save_pictures(folder, 1, 16, 40)


def empty(_folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (without_twin, "0001.png has no low-resolution twin"),
        (with_a_wrong_twin, "at scale 4 it must be 12x12"),
        (unreadable, "broken.png cannot be read"),
        (too_small, "ssim needs sides of at least 11 pixels"),
        (empty, "holds no pictures"),
    ],
)
def test_a_set_that_cannot_be_measured_is_exit_code_2(
    make: "object",
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert callable(make)
    make(tmp_path)
    assert run(monkeypatch, "bicubic", "--sets", tmp_path) == 2
    written = capsys.readouterr().err
    assert written.startswith("error: ")
    assert sentence in written


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--sets", "photos", "absent"], "absent is not a folder"),
        (["--sets", "photos", "absent", "--no-reference"], "absent is not a folder"),
        (["--sets", "photos", "alone"], "0000.png has no low-resolution twin"),
        (["--sets", "photos", "--html-out", "file/page.html"], "file cannot be read or written"),
        (["--sets", "photos", "--json-out", "photos"], "photos cannot be read or written"),
    ],
)
def test_nothing_is_measured_before_sets_and_places_are_known_to_be_there(
    options: list[str],
    sentence: str,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(photos.parent)
    Path("file").touch()
    save_pictures(Path("alone/HR"), 1)
    save_pictures(Path("alone/LRx4"), 1)[0].rename("alone/LRx4/other.png")
    assert run(monkeypatch, "bicubic", *options) == 2
    written = capsys.readouterr()
    assert sentence in written.err
    assert written.out == ""


def test_what_was_measured_before_a_broken_picture_is_kept(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable(photos)
    sets = (save_pictures(tmp_path / "sound", 1)[0].parent, photos)
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    places = ("--json-out", out, "--html-out", page)
    assert run(monkeypatch, "bicubic", "--sets", *sets, *places) == 2
    assert [each["set"] for each in json.loads(out.read_text())] == ["sound"]
    assert "sound, 4 times larger, 1 picture" in page.read_text()


def claiming(path: Path, **metadata: str) -> Path:
    """An ONNX file of scale 2 that says something else of itself."""
    network = GeneratorSpec("plain", 2, 16, 1).build().eval()
    export_onnx(network, path, {"scale": "2", "halo": str(network.halo)})
    model = onnx.load(path)
    for each in model.metadata_props:
        each.value = metadata.get(each.key, each.value)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"scale": "x2"}, "scale 'x2' in its metadata; it must be a whole number from 1"),
        ({"scale": "0"}, "scale '0' in its metadata; it must be a whole number from 1"),
        ({"halo": "-1"}, "halo '-1' in its metadata; it must be a whole number from 0"),
        ({"scale": "4"}, "has scale 4 in its metadata, and makes [1, 3, 32, 32] of [1, 3, 16, 16]"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    metadata: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    path = claiming(tmp_path / "claiming.onnx", **metadata)
    with pytest.raises(UserError, match=re.escape(sentence)):
        open_upscaler(str(path), 4)


def test_a_file_that_takes_other_pictures_is_refused(tmp_path: Path) -> None:
    path = claiming(tmp_path / "small.onnx")
    model = onnx.load(path)
    for axis in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = 64
    onnx.save(model, path)
    with pytest.raises(UserError, match=r"small\.onnx cannot upscale a picture of 16x16"):
        open_upscaler(str(path), 4)


@pytest.mark.parametrize("content", [None, b"not a model"])
@pytest.mark.parametrize("suffix", ["onnx", "safetensors"])
def test_a_model_that_cannot_be_opened_is_exit_code_2(
    content: bytes | None,
    suffix: str,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / f"model.{suffix}"
    if content is not None:
        path.write_bytes(content)
    assert run(monkeypatch, path, "--sets", photos) == 2
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--border=-1", "--border must be at least 0, not -1"),
        ("--scale=0", "--scale must be at"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_option(
    option: str,
    sentence: str,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "bicubic", "--sets", photos, option) == 2
    assert sentence in capsys.readouterr().err


def test_damage_makes_inputs_worse_and_needs_originals(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    psnr = []
    for damage in ("bicubic", "real"):
        assert run(monkeypatch, "bicubic", "--sets", photos, "--degradation", damage) == 0
        row = capsys.readouterr().out.splitlines()[-1]
        assert (", real" in row) == (damage == "real")
        psnr.append(float(re.findall(r"\d+\.\d+", row)[0]))
    assert psnr[1] < psnr[0] - 1
    options = ("--degradation", "camera", "--no-reference")
    assert run(monkeypatch, "bicubic", "--sets", photos, *options) == 2
    assert "--degradation camera makes inputs of originals" in capsys.readouterr().err


def test_a_pristine_model_that_cannot_be_read_is_exit_code_2(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--no-reference", "--niqe-model", "nowhere.npz")
    assert run(monkeypatch, "bicubic", "--sets", photos, *options) == 2
    assert "nowhere.npz cannot be read as a pristine model" in capsys.readouterr().err


def test_perceptual_measures_are_columns_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise UserError("no weights")

    monkeypatch.setattr(measures, "LPIPS", missing)  # no test may download
    photos = save_pictures(tmp_path / "photos", 1, 96, 192)[0].parent
    assert run(monkeypatch, "bicubic", "--sets", photos, "--perceptual") == 0
    header, row = (line.split() for line in capsys.readouterr().out.splitlines())
    (pair,) = pairs(photos, 4)
    upscaled = quantise(open_upscaler("bicubic", 4).run(pair.lr))
    with torch.no_grad():
        distance = float(ShiftTolerantLPIPS("vgg")(upscaled.float(), pair.hr))
    assert float(row[header.index("ST-LPIPS")]) == pytest.approx(distance, abs=1e-4)
    with torch.no_grad():
        second = float(ShiftTolerantLPIPS("alex")(upscaled.float(), pair.hr))
    assert float(row[header.index("ST-LPIPS-A")]) == pytest.approx(second, abs=1e-4)
    known = niqe(upscaled, PristineModel.load())
    assert float(row[header.index("NIQE")]) == pytest.approx(known, abs=6e-4)
    assert float(row[header.index("Grid")]) == pytest.approx(grid_share(upscaled, 4), abs=6e-5)
