from math import inf
from pathlib import Path

import grpc
import numpy as np
import pytest

from serving.client import UpscaleFailed, UpscalerClient
from serving.codec.formats import ImageFormat
from serving.stop import Stop, Stopped
from serving.web.work import Done, Quality, Step, Wish, Workshop
from tests.serving.files import checker, enlarged, read, write_png


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


@pytest.fixture
def workshop(client: UpscalerClient, folder: Path) -> Workshop:
    return Workshop(client, folder)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "my photo.png"
    path.write_bytes(write_png(checker(3)))
    return path


def done(workshop: Workshop, wish: Wish) -> Done:
    *steps, last = workshop.enlarge(wish, Stop())
    assert all(isinstance(step, Step) for step in steps)
    assert isinstance(last, Done)
    return last


def test_the_result_is_a_file_of_the_pictures_name_and_format(
    workshop: Workshop, photo: Path
) -> None:
    result = done(workshop, Wish(photo))
    assert result.file.name == "my photo_x4.png"
    assert np.array_equal(read(result.file.read_bytes()), enlarged(checker(3)))
    assert result.response.model.name == "nearest"
    assert result.quality is None
    assert result.seconds > 0


def test_model_and_format_are_as_wished(workshop: Workshop, photo: Path) -> None:
    result = done(workshop, Wish(photo, model="random", format=ImageFormat.JPEG))
    assert result.file.name == "my photo_x4.jpg"
    assert result.response.model.name == "random"


def test_steps_tell_how_far_it_is(workshop: Workshop, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(write_png(checker(3, height=300, width=400)))
    *steps, _ = workshop.enlarge(Wish(path), Stop())
    told = [(step.rows_done, step.rows) for step in steps if isinstance(step, Step)]
    assert told == sorted(told)
    assert told[0] == (0, 0)
    seconds = [step.seconds for step in steps if isinstance(step, Step)]
    assert seconds == sorted(seconds)


def test_the_result_is_measured_against_an_original(
    workshop: Workshop, photo: Path, tmp_path: Path
) -> None:
    original = tmp_path / "original.png"
    original.write_bytes(write_png(enlarged(checker(3))))
    quality = done(workshop, Wish(photo, original=original)).quality
    assert isinstance(quality, Quality)
    assert quality.psnr == inf
    assert 5 < quality.bicubic < 40


@pytest.mark.parametrize(
    ("content", "words"),
    [(write_png(checker(3)), "needs the same size"), (b"text", "no picture that can be read")],
)
def test_an_original_that_does_not_fit_costs_no_result(
    workshop: Workshop, photo: Path, tmp_path: Path, content: bytes, words: str
) -> None:
    original = tmp_path / "original.png"
    original.write_bytes(content)
    result = done(workshop, Wish(photo, original=original))
    assert isinstance(result.quality, str)
    assert words in result.quality
    assert result.file.exists()


def test_what_fails_leaves_nothing(workshop: Workshop, folder: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    with pytest.raises(UpscaleFailed) as caught:
        done(workshop, Wish(text))
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert not list(folder.iterdir())


def test_what_is_stopped_or_given_up_leaves_nothing(
    workshop: Workshop, folder: Path, photo: Path
) -> None:
    stop = Stop()
    steps = workshop.enlarge(Wish(photo), stop)
    next(steps)
    stop.set()
    with pytest.raises(Stopped):
        list(steps)
    assert not list(folder.iterdir())
    given_up = workshop.enlarge(Wish(photo), Stop())
    next(given_up)
    given_up.close()  # type: ignore[attr-defined]
    assert not list(folder.iterdir())


def test_a_glance_tells_size_and_format(workshop: Workshop, photo: Path) -> None:
    glance = workshop.glance(photo)
    assert (glance.width, glance.height, glance.format) == (9, 6, ImageFormat.PNG)
