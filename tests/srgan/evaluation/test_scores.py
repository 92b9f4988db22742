"""Scores: means that say what they leave out, and JSON that any program can read."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from srgan.evaluation.measures import Measure, fidelity
from srgan.evaluation.scores import PictureScore, SetScore, mean_psnr_y, score_set
from srgan.evaluation.sets import Pair, Sample, pairs
from srgan.metrics import luma, psnr, quantise, ssim
from srgan.upscalers import Upscaler
from tests.srgan.pictures import picture, planes, save_pictures


def score(*values: float) -> SetScore:
    pictures = [PictureScore(f"{i}.png", {"psnr_y": v}, 0.5 + i) for i, v in enumerate(values)]
    return SetScore("model", "set", 4, tuple(pictures))


def strict(of: SetScore) -> dict[str, object]:
    def refuse(constant: str) -> object:
        raise AssertionError(f"{constant} is not JSON")

    read: dict[str, object] = json.loads(json.dumps(of.as_json()), parse_constant=refuse)
    return read


def test_a_mean_is_over_the_pictures_that_have_a_figure_and_says_how_many_do_not() -> None:
    some = score(30.0, math.inf, 32.0, math.nan)
    assert some.mean("psnr_y") == 31.0
    assert some.left_out("psnr_y") == 2
    assert score(math.inf, math.inf).mean("psnr_y") == math.inf
    assert math.isnan(score(math.inf, math.nan).mean("psnr_y"))


def test_json_has_null_where_there_is_no_figure() -> None:
    read = strict(score(30.0, math.inf))
    assert (read["psnr_y"], read["left_out"]) == (30.0, {"psnr_y": 1})
    assert [each["psnr_y"] for each in read["each"]] == [30.0, None]  # type: ignore[attr-defined]
    assert read["seconds_per_picture"] == 1.0
    nothing = strict(score(math.inf))
    assert (nothing["psnr_y"], nothing["left_out"]) == (None, {"psnr_y": 1})
    assert strict(score(30.0))["left_out"] == {}


def repeat(factor: int, brightness: float) -> Upscaler:
    def run(lr: Tensor) -> Tensor:
        return lr.repeat_interleave(factor, -1).repeat_interleave(factor, -2) * brightness

    return Upscaler(f"times {brightness}", factor, run)


def some_pairs() -> list[Pair]:
    levels = [planes(picture(48, 60, seed))[None].float() / 255 for seed in (0, 1)]
    return [Pair(f"{seed}.png", hr[..., ::4, ::4], hr) for seed, hr in enumerate(levels)]


def test_each_upscaler_has_the_figures_of_what_it_made_without_the_border() -> None:
    upscalers, samples = [repeat(4, 0.9), repeat(4, 1.3)], some_pairs()
    for upscaler, got in zip(
        upscalers, score_set("set", upscalers, samples, fidelity(border=5)), strict=True
    ):
        assert (got.model, got.set, got.scale) == (upscaler.name, "set", 4)
        for each, pair in zip(got.pictures, samples, strict=True):
            a, b = (quantise(p)[..., 5:-5, 5:-5] for p in (upscaler.run(pair.lr), pair.hr))
            assert each.picture == pair.name
            assert each.seconds > 0
            assert each.values == {
                "psnr_y": psnr(luma(a), luma(b)),
                "ssim_y": ssim(luma(a), luma(b)),
                "psnr_rgb": psnr(a, b),
                "ssim_rgb": ssim(a, b),
            }


def test_what_each_made_of_a_picture_can_be_watched() -> None:
    seen: list[tuple[str, Mapping[str, Tensor]]] = []
    watch = lambda sample, upscaled: seen.append((sample.name, upscaled))  # noqa: E731
    score_set("set", [repeat(4, 0.9), repeat(4, 1.3)], some_pairs(), [], watch)
    assert [name for name, _ in seen] == ["0.png", "1.png"]
    assert all(list(upscaled) == ["times 0.9", "times 1.3"] for _, upscaled in seen)
    wanted = quantise(repeat(4, 0.9).run(some_pairs()[1].lr))
    assert torch.equal(seen[1][1]["times 0.9"], wanted)


def test_a_picture_without_an_original_is_measured_alone() -> None:
    def brightness(made: Tensor, hr: Tensor | None) -> float:
        assert hr is None
        return float(made.mean())

    measure = Measure("brightness", "brightness", 2, True, brightness)
    sample = Sample("a", torch.full((1, 3, 4, 4), 0.2))
    (got,) = score_set("set", [repeat(2, 1.0)], [sample], [measure])
    assert got.mean("brightness") == pytest.approx(0.2)


def test_a_picture_that_is_too_small_is_named() -> None:
    with pytest.raises(ValueError, match=r"0\.png: a picture of 60x48 has no pixels left"):
        score_set("set", [repeat(4, 1.0)], some_pairs(), fidelity(border=24))


def test_psnr_alone_is_that_of_the_table(tmp_path: Path) -> None:
    save_pictures(tmp_path, 2)
    upscaler = repeat(2, 0.9)
    (table,) = score_set("set", [upscaler], pairs(tmp_path, 2), fidelity(border=2))
    assert mean_psnr_y(upscaler, tmp_path) == table.mean("psnr_y")
