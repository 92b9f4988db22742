"""Others' figures come from a table that says so, and are drawn beside ours."""

from pathlib import Path

import pytest
from PIL import Image

from core.command import UserError
from tools.speed_plot import Point, draw, read_rivals

TABLE = """# Measured elsewhere.
network,engine,megapixels_per_second,Set5,Set14
one,fp32,2.5,31.1,28.1
"""


def test_the_column_of_the_test_set_is_read(tmp_path: Path) -> None:
    table = tmp_path / "rivals.csv"
    table.write_text(TABLE)
    assert read_rivals(table, "Set5") == [Point("one", "fp32", 2.5, 31.1)]
    assert read_rivals(table, "Set14") == [Point("one", "fp32", 2.5, 28.1)]


@pytest.mark.parametrize(("change", "said"), [
    (("Set14", "Set15"), "no column 'Set14'"),
    (("engine", "motor"), "no column 'engine'"),
    (("2.5", "fast"), "no number: .*fast"),
    ((",28.1", ""), "no number"),
])  # fmt: skip
def test_a_table_that_lacks_figures_is_refused(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    table = tmp_path / "rivals.csv"
    table.write_text(TABLE.replace(*change))
    with pytest.raises(UserError, match=rf"rivals\.csv has .*{said}"):
        read_rivals(table, "Set14")


def test_the_table_that_is_committed_can_be_read() -> None:
    table = Path(__file__).parents[2] / "docs" / "figures" / "rivals.csv"
    points = read_rivals(table, "Set14")
    assert len(points) > 10
    assert all(20 < point.quality < 40 and point.speed > 0 for point in points)


def test_both_groups_are_drawn(tmp_path: Path) -> None:
    ours, others = [Point("a", "x", 1, 28)], [Point("b", "y", 10, 27)]
    drawn = []
    for index, groups in enumerate([(ours, others), (ours, []), ([], others)]):
        draw(tmp_path / f"{index}.png", *groups, "across", "up")
        with Image.open(tmp_path / f"{index}.png") as picture:
            drawn.append(picture.convert("RGB").tobytes())
    assert len(set(drawn)) == 3
