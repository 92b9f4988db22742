from pathlib import Path

import pytest

from protos.upscaler.v1 import upscaler_pb2
from serving.web import show
from serving.web.pictures import Comparison, Pair
from serving.web.work import Done, Quality, Step


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(0, 0, 0), "Sending the picture ..."),
        (Step(0, 100, 5), "Enlarging: 0%"),
        (Step(25, 100, 1), "Enlarging: 25%"),
        (Step(25, 100, 5), "Enlarging: 25%, about 15 seconds left"),
        (Step(99, 100, 5), "Enlarging: 99%, about 1 second left"),
        (Step(100, 100, 5), "Finishing ..."),
    ],
)
def test_a_step_says_how_far_it_is_and_how_long_it_takes(step: Step, words: str) -> None:
    assert f">{words}<" in show.step(step)


def test_a_bar_has_no_value_before_anything_is_known() -> None:
    assert "value" not in show.step(Step(0, 0, 0))
    assert 'value="0.250"' in show.step(Step(25, 100, 1))


def test_no_word_of_others_becomes_part_of_the_page() -> None:
    assert "<script>" not in show.failure("<script>")
    assert "<script>" not in show.facts(done(model="<script>"))


def done(
    model: str = "mine",
    quality: Quality | str | None = None,
    reduced_to: tuple[int, int] | None = None,
) -> Done:
    response = upscaler_pb2.UpscaleResponse()
    response.input.width, response.input.height = 500, 400
    response.output.width, response.output.height = 2000, 1600
    response.output.format = upscaler_pb2.IMAGE_FORMAT_PNG
    response.model.name = model
    here = Path(__file__)
    return Done(here, response, 1.25, Comparison(Pair(here, here), reduced_to), quality)


def test_facts() -> None:
    facts = show.facts(done(quality=Quality(31.234, 28.5), reduced_to=(1000, 800)))
    for words in (
        "2,000 x 1,600 pixels, from 500 x 400 pixels",
        "PNG, ",
        "1.2 seconds",
        "31.23 dB; bicubic has 28.50 dB",
        "reduced to 1,000 x 800 pixels",
    ):
        assert words in facts


def test_what_was_not_measured_is_explained_or_left_out() -> None:
    assert "PSNR" not in show.facts(done())
    assert "too small" in show.facts(done(quality="The original is too small."))
