"""What ``--init`` starts from: files of this project, and published ones of ESRGAN's kind."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.checkpoint import load_state
from core.command import UserError
from srgan.config import RECIPES, TrainConfig
from srgan.generators import RRDB, GeneratorSpec, Plain, load_generator, save_generator
from srgan.start import starting_generator
from srgan.train import train
from tests.srgan import community
from tests.srgan.pictures import save_pictures
from tests.srgan.test_rrdb import earlier_name

SPEC = GeneratorSpec("srresnet", 2, 4, 1)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    torch.manual_seed(5)
    path = tmp_path / "start.safetensors"
    save_generator(path, SPEC, SPEC.build().state_dict(), {"steps": 70})
    return path


@pytest.fixture
def config(start: Path, tmp_path: Path) -> TrainConfig:
    photos = save_pictures(tmp_path / "photos", 4, 48, 40)
    return TrainConfig(
        data=str(photos[0].parent), cache_dir=tmp_path / "cache", out=tmp_path / "run", init=start,
        pixel_steps=1, adversarial_steps=0, batch_size=2, patch=8, holdout=0, ema=0.0, seed=3,
        precision="fp32", device="cpu",
    )  # fmt: skip


def test_a_run_goes_on_from_a_generator_and_tells_of_it(config: TrainConfig, start: Path) -> None:
    assert train(replace(config, learning_rate=1e-30))
    network, read, training = load_generator(config.out / "generator.safetensors")
    assert read == SPEC
    assert training["before"] == {"steps": 70}
    first = load_state(start)["weights"]["tail.weight"]
    assert torch.equal(network.state_dict()["tail.weight"], first)
    for told in (training["settings"], json.loads((config.out / "config.json").read_text())):
        assert {name: told[name] for name in ("generator", "scale", "width", "blocks")} == {
            "generator": "srresnet", "scale": 2, "width": 4, "blocks": 1,
        }  # fmt: skip
    other = replace(config, out=config.out.with_name("moving"))
    assert train(other)
    moved = load_generator(other.out / "generator.safetensors")[0].state_dict()
    assert not torch.equal(moved["tail.weight"], first)


def test_a_run_that_was_started_from_a_file_resumes(config: TrainConfig) -> None:
    assert train(config)
    assert train(replace(config, resume=True))
    assert train(replace(config, resume=True, width=4))  # which is what the file holds


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"width": 64}, "--width 64 is not what .*start.safetensors holds, which is 4"),
        ({"generator": "light"}, "--generator light is not what .* which is srresnet"),
        ({"scale": 3}, "--scale 3 is not what .* which is 2: leave the option out"),
        ({"blocks": 9}, "--blocks 9 is not what .* which is 1"),
    ],
)
def test_settings_that_ask_for_another_generator_are_refused(
    change: dict[str, object], sentence: str, config: TrainConfig
) -> None:
    with pytest.raises(UserError, match=sentence):
        starting_generator(replace(config, **change))  # type: ignore[arg-type]


def test_what_the_recipe_has_by_itself_contradicts_nothing(start: Path) -> None:
    for recipe in RECIPES.values():
        _, spec, _, config = starting_generator(replace(recipe, init=start))
        assert spec == SPEC
        assert (config.generator, config.scale, config.width) == ("srresnet", 2, 4)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("wrapper", ["params_ema", "params", None])
def test_a_published_network_is_started_from_with_sizes_read_off_its_weights(
    suffix: str, scale: int, earlier: bool, wrapper: str | None, config: TrainConfig
) -> None:
    torch.manual_seed(0)
    published = RRDB(scale, 8, 3)
    weights = {earlier_name(n) if earlier else n: t for n, t in published.state_dict().items()}
    file = config.out.with_name(f"RRDB_PSNR{suffix}")
    if suffix == ".safetensors":
        save_file(weights, file)
    else:
        torch.save({wrapper: weights, "iter": 3} if wrapper else weights, file)
    network, spec, _, settings = starting_generator(replace(config, init=file))
    assert spec == GeneratorSpec("rrdb", scale, 8, 3)
    assert (settings.generator, settings.width, settings.blocks) == ("rrdb", 8, 3)
    assert network.training
    lr = torch.rand(1, 3, 6, 7)
    with torch.no_grad():
        assert torch.equal(network(lr), published(lr))


def test_a_run_trains_on_from_a_published_network_and_resumes(config: TrainConfig) -> None:
    file = community.save(config.out.with_name("theirs.pth"), RRDB(2, 8, 1))
    assert train(replace(config, init=file))
    assert load_generator(config.out / "generator.safetensors")[1].name == "rrdb"
    assert train(replace(config, init=file, resume=True))


class Malice:
    """A pickle that would run code."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (community.compact(2).state_dict(), "holds no RRDB network"),
        (Plain(2, 16, 1).state_dict(), "holds no RRDB network"),
        ({"conv_first.weight": torch.zeros(8, 3, 3, 3), "body.0.x": torch.zeros(1)}, "no RRDB"),
        (
            {"conv_first.weight": torch.zeros(8, 12, 3, 3), "body.0.x": torch.zeros(1)},
            "folds its input into 12 channels first",
        ),
        ([torch.zeros(1)], "holds no RRDB network"),
        ({3: torch.zeros(1)}, "holds no RRDB network"),
        (Malice(), "cannot be read as weights alone"),
    ],
)
def test_any_other_file_is_refused(content: object, sentence: str, config: TrainConfig) -> None:
    file = config.out.with_name("theirs.pth")
    torch.save(content, file)
    with pytest.raises(UserError, match=sentence):
        starting_generator(replace(config, init=file))


def test_a_file_that_is_missing_or_broken_is_named(config: TrainConfig) -> None:
    file = config.out.with_name("theirs.pth")
    with pytest.raises(UserError, match=r"there is no checkpoint at .*theirs.pth"):
        starting_generator(replace(config, init=file))
    file.write_bytes(b"half a download")
    with pytest.raises(UserError, match="cannot be read as weights alone"):
        starting_generator(replace(config, init=file))
