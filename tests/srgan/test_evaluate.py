"""``python -m srgan.evaluate``: published figures, any kind of model, clear errors."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srgan import evaluate as program
from srgan.cache import read_rgb
from srgan.evaluate import EvaluateConfig, evaluation_pairs, score
from srgan.generators import GeneratorSpec, save_generator
from srgan.metrics import luma, psnr, quantise, ssim
from srgan.resize import imresize_uint8
from srgan.stlpips import ShiftTolerantLPIPS
from srgan.upscalers import Upscaler, open_upscaler
from tests.conftest import DataFolder
from tests.srgan.pictures import picture, planes, save_pictures


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


def test_a_row_holds_the_means_over_the_set(photos: Path) -> None:
    shade = Upscaler(
        "repeat and darken",
        4,
        lambda lr: lr.repeat_interleave(4, -1).repeat_interleave(4, -2) * 0.9,
    )
    rows = []
    for lr, hr in evaluation_pairs(photos, 4):
        got, wanted = (quantise(p)[..., 5:-5, 5:-5] for p in (shade.run(lr), hr))
        rows.append([psnr(luma(got), luma(wanted)), ssim(luma(got), luma(wanted)),
                     psnr(got, wanted), ssim(got, wanted)])  # fmt: skip
    means = score(shade, photos, border=5)
    names = ("psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb")
    assert [means[name] for name in names] == pytest.approx(np.mean(rows, axis=0).tolist())
    assert means["pictures"] == 2
    assert means["seconds"] > 0


def test_a_plain_folder_is_reduced_with_todays_bicubic(photos: Path) -> None:
    pairs = list(evaluation_pairs(photos, 4))
    assert len(pairs) == 2
    for path, (lr, hr) in zip(sorted(photos.iterdir()), pairs, strict=True):
        whole = planes(read_rgb(path))[:, :48, :60]
        assert torch.equal(hr[0], whole.float() / 255)
        assert torch.equal(lr[0], imresize_uint8(whole, 0.25).float() / 255)


def test_published_inputs_are_taken_as_they_are(tmp_path: Path) -> None:
    save_pictures(tmp_path / "HR", 1, 50, 62)
    (tmp_path / "LRx4").mkdir()
    Image.fromarray(picture(12, 15, seed=77)).save(tmp_path / "LRx4" / "0000.png")
    ((lr, hr),) = evaluation_pairs(tmp_path, 4)
    assert hr.shape == (1, 3, 48, 60)
    assert torch.equal(lr[0], planes(picture(12, 15, seed=77)).float() / 255)
    ((reduced, _),) = evaluation_pairs(tmp_path, 2)  # none are published at this scale
    assert reduced.shape == (1, 3, 25, 31)


def test_models_by_sets_make_the_table_also_as_json(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = GeneratorSpec("light", 2, 16, 1)
    model, out = tmp_path / "small.safetensors", tmp_path / "table.json"
    save_generator(model, spec, spec.build().state_dict(), {})
    other = save_pictures(tmp_path / "other", 1)[0].parent
    assert run(monkeypatch, "bicubic", model, "--sets", photos, other, "--scale", "3",
               "--json-out", out) == 0  # fmt: skip
    rows = capsys.readouterr().out.splitlines()[1:]
    names = [("bicubic", "photos"), ("bicubic", "other"),
             ("small.safetensors", "photos"), ("small.safetensors", "other")]  # fmt: skip
    assert [tuple(row.split()[:2]) for row in rows] == names
    table = json.loads(out.read_text())
    assert [(row["model"], row["set"]) for row in table] == names
    assert [f"{row['psnr_y']:.2f}" for row in table] == [row.split()[2] for row in rows]


def test_each_model_is_measured_at_its_own_scale_without_its_border(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def watched(upscaler: Upscaler, folder: Path, border: int, _: None) -> dict[str, float]:
        asked.append((upscaler.scale, border))
        return score(upscaler, folder, border)

    monkeypatch.setattr(program, "score", watched)
    spec = GeneratorSpec("light", 3, 16, 1)
    model = tmp_path / "small.safetensors"
    save_generator(model, spec, spec.build().state_dict(), {})
    program.evaluate(EvaluateConfig(("bicubic", str(model)), (photos,)))
    program.evaluate(EvaluateConfig(("bicubic",), (photos,), border=0))
    assert asked == [(4, 4), (3, 3), (4, 0)]


def test_bicubic_is_pillows(photos: Path) -> None:
    upscaler = open_upscaler("bicubic", 3)
    (lr, _), *_ = evaluation_pairs(photos, 3)
    levels = lr[0].mul(255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    size = (levels.shape[1] * 3, levels.shape[0] * 3)
    wanted = np.array(Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC))
    assert torch.equal(upscaler.run(lr)[0], planes(wanted).float() / 255)


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
        (with_a_wrong_twin, "is not 4 times as large"),
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
    [("--border=-1", "--border must be at least 0, not -1"), ("--scale=0", "--scale must be at")],
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


def test_the_perceptual_distance_is_a_column_of_its_own(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "bicubic", "--sets", photos, "--perceptual") == 0
    header, row = (line.split() for line in capsys.readouterr().out.splitlines())
    metric, bicubic = ShiftTolerantLPIPS("vgg"), open_upscaler("bicubic", 4)
    with torch.no_grad():
        values = [
            float(metric(quantise(bicubic.run(lr)).float(), hr))
            for lr, hr in evaluation_pairs(photos, 4)
        ]
    shown = float(row[header.index("ST-LPIPS")])
    assert shown == pytest.approx(sum(values) / 2, abs=1e-4)
