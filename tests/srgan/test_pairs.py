"""Twins by name, and what their presence means for the degradation."""

from pathlib import Path

import pytest

from core.command import UserError
from srgan.pairs import PictureFile, check_sizes, low_resolution, pair_up, reduced

HR, LR = Path("set/HR"), Path("set/LRx4")


def paired(large: list[str], small: list[str]) -> dict[str, str | None]:
    files = pair_up([HR / n for n in large], HR, [LR / n for n in small], LR, 4)
    return {
        str(file.hr.relative_to(HR)): str(file.lr.relative_to(LR)) if file.lr else None
        for file in files
    }


def test_twins_are_found_by_name_whatever_the_suffix_and_folder() -> None:
    large = ["a.png", "0801.png", "b/a.jpg", "x4.png", "cx4.png"]
    small = ["cx4.png", "x4.webp", "b/a.png", "0801x4.png", "a.JPG"]
    assert paired(large, small) == {
        "a.png": "a.JPG", "0801.png": "0801x4.png", "b/a.jpg": "b/a.png", "x4.png": "x4.webp",
        "cx4.png": "cx4.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("large", "small", "sentence"),
    [
        (["a.png", "b.png"], ["a.png"], "set/HR/b.png has no low-resolution twin .* set/LRx4"),
        (["a.png"], ["a.png", "b.png"], "set/LRx4/b.png has no high-resolution twin in set/HR"),
        (["a.png"], ["a.png", "a.jpg"], "set/LRx4/a.jpg and set/LRx4/a.png are twins of one"),
        (["a.png", "a.jpg"], ["a.png"], "set/HR/a.jpg has no low-resolution twin"),
        (["a.png"], ["ax2.png"], "set/HR/a.png has no low-resolution twin"),
        (["a.png"], ["a.png", "ax4.png"], "set/LRx4/ax4.png has no high-resolution twin"),
    ],
)
def test_a_file_without_exactly_one_twin_is_named(
    large: list[str], small: list[str], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        paired(large, small)


def test_what_does_not_fill_a_low_resolution_pixel_is_no_mismatch() -> None:
    file = PictureFile(Path("a.png"), Path("b.png"))
    check_sizes(file, (43, 80, 3), (10, 20, 3), 4)
    with pytest.raises(UserError, match=r"b.png is 20x10; .* a.png at scale 4 it must be 20x11"):
        check_sizes(file, (44, 80, 3), (10, 20, 3), 4)


def test_the_low_resolution_is_named_for_where_it_comes_from() -> None:
    alone, pair = PictureFile(Path("a.png")), PictureFile(Path("b.png"), LR / "b.png")
    for degradation in ("bicubic", "camera", "real"):
        assert low_resolution([alone, alone], degradation) == degradation
    assert low_resolution([pair, pair], "bicubic") == "pairs"
    assert low_resolution([alone, pair], "bicubic") == "bicubic+pairs"
    with pytest.raises(UserError, match=r"--degradation camera makes its own .* set/LRx4"):
        low_resolution([alone, pair], "camera")


def test_what_brings_its_twin_is_not_reduced() -> None:
    files = [PictureFile(HR / "a.png"), PictureFile(HR / "b.png", LR / "b.png")]
    assert reduced(files, (0.75, 0.5)) == [
        PictureFile(HR / "a.png", size=0.75),
        PictureFile(HR / "a.png", size=0.5),
    ]


def test_where_all_bring_their_twins_there_are_no_other_sizes() -> None:
    files = [PictureFile(HR / "b.png", LR / "b.png")]
    assert reduced(files, ()) == []
    with pytest.raises(UserError, match=r"--multiscale .* --data has none"):
        reduced(files, (0.5,))
