"""Model cards: what was measured on the very files, and how to measure it again."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.command import UserError
from srgan.evaluation.measures import fidelity
from srgan.evaluation.scores import score_set
from srgan.evaluation.sets import pairs
from srgan.generators import GeneratorSpec, load_generator, save_generator
from srgan.upscalers import open_upscaler
from tests.srgan.pictures import save_pictures
from tools.export_onnx import ExportConfig, export
from tools.model_card import CardConfig, describe, render, write_card


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> CardConfig:
    folder = tmp_path_factory.mktemp("card")
    torch.manual_seed(0)
    spec = GeneratorSpec("light", 2, 16, 1)
    generator = folder / "generator.safetensors"
    curve = [{"step": 100.0 * n, "bicubic_psnr_y": 20.0 + n} for n in range(1, 21)]
    first = {"steps": 234, "settings": {"seed": 3}, "cpu_hours": 0.5, "curve": curve[:2]}
    last = {
        "steps": 1000,
        "settings": {"seed": 4},
        "cpu_hours": 1.2,
        "gpu_hours": 0.25,
        "curve": curve,
    }
    training = {**last, "before": first}
    save_generator(generator, spec, spec.build().state_dict(), training)
    model = folder / "tiny.onnx"
    assert export(ExportConfig(generator, model, license="CC0-1.0"))
    photos = save_pictures(folder / "photos", 2, 48, 56)[0].parent
    made = CardConfig((model,), generator, (photos,), "five pictures of waves.", "python -m it")
    assert write_card(made)
    return made


def test_the_figures_are_those_of_the_file(config: CardConfig) -> None:
    card = json.loads(config.models[0].with_suffix(".json").read_text())
    (file,) = card["files"]
    assert file["sha256"] == hashlib.sha256(config.models[0].read_bytes()).hexdigest()
    assert file["bytes"] == config.models[0].stat().st_size
    for metrics, model in ((file["metrics"], str(config.models[0])), (card["bicubic"], "bicubic")):
        samples = pairs(config.sets[0], 2)
        (wanted,) = score_set("photos", [open_upscaler(model, 2)], samples, fidelity(border=2))
        assert metrics["photos"]["psnr_y"] == round(wanted.mean("psnr_y"), 2)
        assert metrics["photos"]["ssim_rgb"] == round(wanted.mean("ssim_rgb"), 4)
        assert metrics["photos"]["st_lpips"] > 0


def test_it_says_what_the_model_is_and_how_it_was_made(config: CardConfig) -> None:
    card = json.loads(config.models[0].with_suffix(".json").read_text())
    assert (card["name"], card["license"], card["scale"], card["halo"]) == ("tiny", "CC0-1.0", 2, 4)
    assert card["architecture"] == vars(GeneratorSpec("light", 2, 16, 1))
    training = card["training"]
    assert (training["steps"], training["cpu_hours"], training["gpu_hours"]) == (1234, 1.7, 0.25)
    assert [run["settings"] for run in training["runs"]] == [{"seed": 3}, {"seed": 4}]
    assert [len(run["curve"]) for run in training["runs"]] == [2, 20]
    assert card["milliseconds"]["files"]["tiny.onnx"] > 0
    page = config.models[0].with_suffix(".md").read_text()
    for part in (
        "# tiny",
        "CC0-1.0",
        "five pictures of waves.",
        "python -m it",
        "1,234 steps, 1.7 hours of processor time and 0.25 of a GPU, by",
        "| 1 | 234 | bicubic | 21.00 | 21.00 | 21.00 | 22.00 | 22.00 |",
        "| 2 | 1,000 | bicubic | 21.00 | 26.00 | 31.00 | 35.00 | 40.00 |",
        "For 256x256 pixels on ",
        "`tiny.onnx` {} ms".format(card["milliseconds"]["files"]["tiny.onnx"]),
        "| bicubic | photos |",
        "| `tiny.onnx` | photos |",
        card["files"][0]["sha256"],
        "python -m srgan.evaluate --perceptual --scale 2 bicubic tiny.onnx --sets photos",
    ):
        assert part in page


def test_a_model_for_damaged_pictures_is_measured_on_them(
    config: CardConfig, tmp_path: Path
) -> None:
    photos = save_pictures(tmp_path / "photos", 1, 200, 200)[0].parent
    damaged = describe(replace(config, sets=(photos,), degradation="camera"))
    figures = damaged["files"][0]["metrics"]["photos, camera"]
    (clean,) = score_set("", [open_upscaler("bicubic", 2)], pairs(photos, 2), fidelity(border=2))
    assert damaged["bicubic"]["photos, camera"]["psnr_y"] < clean.mean("psnr_y") - 1
    assert figures["niqe"] > 0
    assert damaged["measured_by"].endswith("tiny.onnx --degradation camera --sets photos")
    page = render(damaged)
    assert " | ST-LPIPS-A | NIQE | Grid |" in page
    assert "| `tiny.onnx` | photos, camera |" in page
    del figures["niqe"]  # of pictures that are too small
    assert "|  |" in render(damaged)


def test_a_blends_card_counts_what_both_began_from_once(config: CardConfig, tmp_path: Path) -> None:
    network, spec, _ = load_generator(config.generator)
    shared = {"steps": 100, "settings": {"seed": 0}}
    parents = [
        {"steps": 10 * seed, "settings": {"seed": seed}, "before": shared} for seed in (1, 2)
    ]
    training = {"interpolated": parents, "share": 0.5}
    generator = tmp_path / "blend.safetensors"
    save_generator(generator, spec, network.state_dict(), training)
    described = describe(replace(config, generator=generator))["training"]
    assert described["steps"] == 130
    assert [run["settings"]["seed"] for run in described["runs"]] == [0, 1, 2]


def test_no_place_on_this_disk_is_told(config: CardConfig) -> None:
    for suffix in (".json", ".md"):
        assert str(config.models[0].parent) not in config.models[0].with_suffix(suffix).read_text()


def test_what_is_no_model_of_ours_is_refused(config: CardConfig, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\xff\xff\xff")
    for models, sentence in (((), "at least one"), ((broken,), "cannot be read")):
        with pytest.raises(UserError, match=sentence):
            write_card(CardConfig(models, config.generator, config.sets, "", ""))
