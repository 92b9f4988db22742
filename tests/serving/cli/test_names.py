from pathlib import Path

import pytest

from serving.cli.names import comparison, is_result, label
from serving.pipeline.size import SizeOptions


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (SizeOptions(), "_x4"),
        (SizeOptions(scale=2), "_x2"),
        (SizeOptions(scale=2.5, max_width=800), "_x2.5_maxw800"),
        (SizeOptions(height=600), "_h600"),
        (SizeOptions(width=800, height=600), "_w800_h600"),
        (SizeOptions(max_height=600), "_x4_maxh600"),
    ],
)
def test_a_label_says_what_was_asked_for(size: SizeOptions, expected: str) -> None:
    assert label(size, model_scale=4) == expected
    assert is_result(f"cat{expected}", {"cat"})


def test_a_comparison_is_a_png_beside_its_result() -> None:
    assert comparison(Path("large/cat.jpg")) == Path("large/cat_compare.png")


@pytest.mark.parametrize("name", ["cat_x4", "cat_compare", "cat_x4_compare", "cat_x2_x4"])
def test_results_are_known_by_a_picture_of_the_name_that_they_extend(name: str) -> None:
    assert is_result(name, {"cat"})
    assert not is_result(name, {"dog"})


@pytest.mark.parametrize("name", ["cat", "cat_2", "cat_xray", "cat_with_hat", "catx4"])
def test_other_names_are_pictures(name: str) -> None:
    assert not is_result(name, {"cat"})
