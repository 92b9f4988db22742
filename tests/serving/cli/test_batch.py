"""Folders and several files, by the command itself."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from serving.client import UpscalerClient
from tests.serving.cli.conftest import Upscale, below
from tests.serving.files import checker, enlarged, read, write_png

Out = pytest.CaptureFixture[str]


@pytest.fixture
def damaged(photos: Path) -> Path:
    """The folder, with a picture that breaks off and a file that is none."""
    (photos / "broken.png").write_bytes(write_png(checker(3, height=90, width=90))[:9000])
    (photos / "fake.jpg").write_text("not an image")
    return photos


def test_a_folder_becomes_a_folder_of_the_same_shape(photos: Path, upscale: Upscale) -> None:
    assert upscale(photos) == 0
    results = photos.with_name("photos_x4")
    assert below(results) == ["a.png", "nested/b.png"]
    assert np.array_equal(read((results / "a.png").read_bytes()), enlarged(checker(3)))
    assert np.array_equal(read((results / "nested/b.png").read_bytes()), enlarged(checker(1)))


def test_it_may_be_called_otherwise_and_hold_another_format(photos: Path, upscale: Upscale) -> None:
    out = photos.with_name("out")
    assert upscale(photos, "-o", out, "--format", "webp", "--scale", 2) == 0
    assert below(out) == ["a.webp", "nested/b.webp"]


def test_what_fails_is_named_and_the_rest_is_done(
    damaged: Path, upscale: Upscale, capsys: Out
) -> None:
    assert upscale(damaged) == 2
    assert below(damaged.with_name("photos_x4")) == ["a.png", "nested/b.png"]
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert errors[0].startswith(f"upscale: error: {damaged / 'broken.png'}: image is damaged PNG")
    assert errors[1].startswith(f"upscale: error: {damaged / 'fake.jpg'}: image is not readable")
    assert errors[2].startswith("upscale: 2 done, 2 failed in ")


def test_the_second_time_only_what_is_new_or_has_failed_is_done(
    damaged: Path, upscale: Upscale, capsys: Out
) -> None:
    upscale(damaged)
    (damaged / "c.png").write_bytes(write_png(checker(3)))
    capsys.readouterr()
    assert upscale(damaged) == 2
    captured = capsys.readouterr()
    assert f"{damaged / 'a.png'}: skipped, " in captured.out
    assert "photos_x4/c.png: 36x24 by nearest" in captured.out
    assert captured.err.count("upscale: error: ") == 2
    assert upscale(damaged, "--overwrite") == 2
    assert "skipped" not in capsys.readouterr().out


def test_results_inside_the_folder_are_not_upscaled_the_next_time(
    photos: Path, upscale: Upscale
) -> None:
    for _ in range(2):
        assert upscale(photos, "-o", photos / "large") == 0
    assert below(photos / "large") == ["a.png", "nested/b.png"]


def test_neither_are_results_beside_the_pictures(
    photos: Path, upscale: Upscale, capsys: Out
) -> None:
    pattern = photos / "**" / "*.png"
    assert upscale(pattern) == 0
    assert upscale(pattern, "--scale", 2) == 0
    assert "a_x4.png: skipped, it is the result of another picture" in capsys.readouterr().out
    results = [
        "a.png",
        "a_x2.png",
        "a_x4.png",
        "nested/b.png",
        "nested/b_x2.png",
        "nested/b_x4.png",
    ]
    assert below(photos) == [*results, "notes.txt"]


def test_nothing_is_computed_where_two_results_would_be_one_file(
    photos: Path, upscale: Upscale, capsys: Out
) -> None:
    (photos / "a.bmp").write_bytes(b"")
    assert upscale(photos, "--format", "png") == 2
    assert "a.png for both" in capsys.readouterr().err
    assert not photos.with_name("photos_x4").exists()


def test_a_dry_run_lists_and_leaves_all_as_it_was(
    photos: Path, upscale: Upscale, capsys: Out
) -> None:
    assert upscale(photos, "--dry-run") == 0
    results = photos.with_name("photos_x4")
    assert capsys.readouterr().out.splitlines() == [
        f"{photos / 'a.png'} -> {results / 'a.png'}",
        f"{photos / 'nested/b.png'} -> {results / 'nested/b.png'}",
    ]
    assert not results.exists()


def test_it_lists_comparisons_as_well(photo: Path, upscale: Upscale, capsys: Out) -> None:
    assert upscale(photo, "--dry-run", "--compare") == 0
    target = photo.with_name("photo_x4.png")
    shown = photo.with_name("photo_x4_compare.png")
    assert capsys.readouterr().out == f"{photo} -> {target}, {shown}\n"


def test_a_misspelt_name_is_told_and_the_others_are_done(
    photo: Path, upscale: Upscale, capsys: Out
) -> None:
    typo = photo.with_name("phoot.png")
    assert upscale(typo, photo) == 2
    assert photo.with_name("photo_x4.png").exists()
    told = capsys.readouterr().err
    assert told.startswith(f"upscale: error: {typo}: image is absent; expected a file that exists")
    assert "upscale: 1 failed, 1 done in " in told


def test_programs_are_told_of_it_as_of_any_other_failure(upscale: Upscale, capsys: Out) -> None:
    assert upscale("nosuch.jpg", "--json") == 2
    line, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["source"], line["status"]) == ("nosuch.jpg", "failed")
    assert line["reason"].startswith("image is absent; expected a file that exists")
    assert last["summary"] == {"failed": 1}


def test_a_quality_may_be_given_for_the_lossy_ones_of_several(
    photos: Path, upscale: Upscale
) -> None:
    assert upscale(photos, "--quality", 50) == 0


def test_programs_get_json_a_line(damaged: Path, upscale: Upscale, capsys: Out) -> None:
    assert upscale(damaged, "--json") == 2
    *pictures, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(Path(line["source"]).name, line["status"]) for line in pictures] == [
        ("a.png", "done"),
        ("broken.png", "failed"),
        ("fake.jpg", "failed"),
        ("b.png", "done"),
    ]
    assert (pictures[0]["width"], pictures[0]["model"]) == (36, "nearest")
    assert pictures[0]["target"] == str(damaged.with_name("photos_x4") / "a.png")
    assert pictures[1]["reason"].startswith("image is damaged PNG data")
    assert last["summary"] == {"done": 2, "failed": 2}


def test_when_it_is_interrupted_it_says_what_was_done_and_leaves_no_half_file(
    photos: Path,
    upscale: Upscale,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Out,
) -> None:
    upscale_into: Callable[..., object] = UpscalerClient.upscale_into
    keys = iter([False, True])

    def interrupted(*given: object, **choices: object) -> object:
        if next(keys):
            raise KeyboardInterrupt
        return upscale_into(*given, **choices)

    monkeypatch.setattr(UpscalerClient, "upscale_into", interrupted)
    (photos / "c.png").write_bytes(write_png(checker(3)))
    assert upscale(photos, "--json") == 130
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["summary"] == {
        "done": 1,
        "left": 2,
    }
    assert below(photos.with_name("photos_x4")) == ["a.png"]
