"""Crops: the places on which the models disagree most, beside bicubic and the original."""

import torch
from torch import Tensor

from srgan.evaluation.crops import CropChooser, most_disputed
from srgan.evaluation.sets import Pair, Sample
from srgan.metrics import quantise
from srgan.upscalers import open_upscaler
from tests.srgan.pictures import picture, planes


def with_a_spot(of: Tensor, top: int, left: int, strength: float = 0.4) -> Tensor:
    spotted = of.clone()
    spotted[..., top : top + 40, left : left + 40] += strength
    return spotted.clamp(0, 1)


def grey(height: int, width: int) -> Tensor:
    return torch.full((1, 3, height, width), 0.5, dtype=torch.float64)


def test_the_square_holds_what_differs() -> None:
    one = grey(300, 400)
    strength, left, top = most_disputed(torch.cat([one, with_a_spot(one, 200, 304)]), side=64)
    assert strength > 0
    assert 304 - 24 <= left <= 304
    assert 200 - 24 <= top <= 200
    assert left + 64 <= 400
    assert top + 64 <= 300


def test_a_small_picture_is_its_own_crop() -> None:
    one = grey(40, 90)
    _, left, top = most_disputed(torch.cat([one, with_a_spot(one, 0, 0)]))
    assert (left, top) == (0, 0)


def sample(name: str = "a.png") -> Pair:
    hr = planes(picture(200, 240))[None].float() / 255
    return Pair(name, hr[..., ::4, ::4], hr)


def test_models_are_compared_with_each_other_and_shown_beside_bicubic_and_the_original() -> None:
    chooser, pair = CropChooser(4), sample()
    made = quantise(pair.hr)
    chooser.watch(pair, {"one": made, "other": with_a_spot(made, 120, 160)})
    (crop,) = chooser.crops()
    assert crop.picture == "a.png"
    assert list(crop.versions) == ["original", "bicubic", "one", "other"]
    assert 160 - 128 <= crop.top <= 120
    assert 200 - 128 <= crop.left <= 160
    rows, columns = slice(crop.top, crop.top + 128), slice(crop.left, crop.left + 128)
    bicubic = quantise(open_upscaler("bicubic", 4).run(pair.lr))
    for title, whole in (("original", pair.hr), ("bicubic", bicubic), ("one", made)):
        wanted = whole[0, :, rows, columns].mul(255).round().to(torch.uint8).permute(1, 2, 0)
        assert torch.equal(crop.versions[title], wanted)


def test_one_model_is_compared_with_bicubic_and_bicubic_with_the_original() -> None:
    pair = sample()
    bicubic = quantise(open_upscaler("bicubic", 4).run(pair.lr))
    alone, both = CropChooser(4), CropChooser(4)
    both.watch(pair, {"bicubic": bicubic, "one": with_a_spot(bicubic, 8, 16)})
    alone.watch(Pair(pair.name, pair.lr, with_a_spot(bicubic, 8, 16)), {"bicubic": bicubic})
    for chooser, models in ((both, ["one"]), (alone, [])):
        (crop,) = chooser.crops()
        assert crop.left <= 16
        assert crop.top <= 8
        assert list(crop.versions) == ["original", "bicubic", *models]


def test_the_most_disputed_pictures_are_kept_in_order() -> None:
    chooser = CropChooser(4)
    base = grey(160, 160)
    strengths = {"c": 0.1, "a": 0.3, "e": 0.02, "b": 0.2, "d": 0.05, "f": 0.05}
    for name, strength in strengths.items():
        made = {"one": base, "other": with_a_spot(base, 16, 16, strength)}
        chooser.watch(Sample(name, base[..., ::4, ::4].float()), made)
    assert [crop.picture for crop in chooser.crops()] == ["a", "b", "c", "d"]
    assert "original" not in chooser.crops()[0].versions
