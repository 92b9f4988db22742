"""``python -m core.evaluate``: figures beside references."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.command import UserError
from core.datasets import Part, load_pictures
from core.evaluate import EvaluateConfig, evaluate
from core.evaluation.classifier import ClassifierConfig, train_classifier
from core.evaluation.metrics import MetricName, build_metrics
from core.evaluation.parzen import parzen_score
from core.evaluation.references import centroids, mean_picture, some_pictures
from core.players import PlayerSpec
from core.recipes import RECIPES
from core.sampler import load_sampler, save_sampler


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    spec = PlayerSpec("dense", (1, 8, 8), 16, 16, latent_size=4)
    config = {**vars(RECIPES["digits"]), "data_dir": str(folder)}
    weights = spec.build_generator().state_dict()
    save_sampler(folder / "generator.safetensors", spec, weights, {"config": config})
    train_classifier(ClassifierConfig("digits", folder, epochs=1))
    return folder


def test_a_line_for_the_generator_and_one_for_each_reference(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(EvaluateConfig(folder, samples=500, metrics=("parzen", "features")))
    lines = capsys.readouterr().out.splitlines()
    names = [line[:24].strip() for line in lines]
    assert names[1:] == ["training pictures", "2000 k-means centroids", "the mean picture"]
    for line in lines:
        for name in ("Parzen", "nats", "sigma", "fid", "kid", "precision", "recall", "coverage"):
            assert name in line
    pictures = load_pictures("digits", folder)
    samples = load_sampler(folder).sample(500, seed=0)
    score = parzen_score(samples, pictures.validation.pictures, pictures.test.pictures)
    assert f"Parzen {score.mean:.1f} ± {score.standard_error:.1f} nats" in lines[0]


def test_the_mean_picture_is_precise_and_worse_by_every_other_measure(folder: Path) -> None:
    pictures = load_pictures("digits", folder)
    measure = build_metrics(
        ("parzen", "features"), pictures, folder / "features-digits.safetensors"
    )
    train = pictures.train.pictures
    good, poor = measure(train), measure(mean_picture(train).expand(100, -1, -1, -1))
    for name in ("parzen", "recall", "coverage"):
        assert good[name] > poor[name], name
    assert poor["precision"] == 1.0
    for name in ("fid", "kid"):
        assert good[name] < poor[name], name


def test_references_are_drawn_from_the_training_pictures() -> None:
    pictures = torch.rand(60, 1, 4, 4)
    some = some_pictures(pictures, 10)
    rows = {tuple(picture.flatten().tolist()) for picture in pictures}
    assert len({tuple(p.flatten().tolist()) for p in some} & rows) == 10
    assert torch.equal(some_pictures(pictures, 10), some)
    assert len(some_pictures(pictures, 1000)) == 60
    assert centroids(pictures, 5).shape == (5, 1, 4, 4)
    assert torch.allclose(mean_picture(pictures)[0], pictures.mean(dim=0))


def test_figures_that_no_classifier_is_there_for_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"python -m core\.evaluation\.classifier"):
        evaluate(EvaluateConfig(folder, tmp_path, metrics=("features",)))
    with pytest.raises(UserError, match="--samples must be at least 10"):
        EvaluateConfig(folder, samples=1)


@pytest.mark.parametrize(("name", "least"), [("parzen", 2), ("features", 10)])
def test_figures_of_few_pictures_are_refused(name: MetricName, least: int, folder: Path) -> None:
    classifier = folder / "features-digits.safetensors"
    whole = load_pictures("digits", folder)
    few = replace(whole, test=Part(whole.test.pictures[: least - 1]))
    with pytest.raises(UserError, match=f"--metrics {name} needs at least {least} pictures"):
        build_metrics((name,), few, classifier)
    enough = replace(whole, test=Part(whole.test.pictures[:least]))
    figures = build_metrics((name,), enough, classifier)(whole.train.pictures[:100])
    assert all(math.isfinite(value) for value in figures.values())
