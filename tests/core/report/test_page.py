"""The page: complete in itself, the same for one run and for several."""

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.report.page import Row, render, rows, spaced
from core.report.recorded import read_runs
from core.run import RunError
from tests.core.report.runs import save_run

MACHINE = {
    "began": "2026-01-02T03:04:05+00:00",
    "processor": "A processor",
    "gpus": [],
    "packages": {"torch": "2.6"},
}
HISTORY = [{"step": step, "generator/pixel": 1 / step, "validation/psnr": 20.0} for step in (1, 2)]


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def page(*folders: Path) -> str:
    return render(read_runs(folders), "What is seen.")


def test_the_page_needs_nothing_beside_it(tmp_path: Path) -> None:
    html = page(save_run(tmp_path / "one", HISTORY, samples=(1, 2), environment=MACHINE))
    links = Links(html).found
    assert len(links) == 4  # two panels, two pictures
    assert all(link.startswith("data:image/") for link in links)
    assert "url(" not in html
    assert "<script" not in html


def test_one_run_shows_curves_pictures_settings_and_machine(tmp_path: Path) -> None:
    config = {"seed": 7, "data": "mine"}
    html = page(save_run(tmp_path / "one", HISTORY, config, (1, 2), MACHINE))
    for text in ("What is seen.", "generator: pixel against", "step 2", "seed", "mine",
                 "A processor", "torch", "2026-01-02 03:04:05 UTC"):  # fmt: skip
        assert text in html
    assert html.index("validation: psnr against") < html.index("generator: pixel against")
    assert "What was noticed" not in html


def test_sets_have_strips_under_their_names_even_where_nothing_was_kept_back(
    tmp_path: Path,
) -> None:
    html = page(save_run(tmp_path / "one", HISTORY, sets={"Set5": [1, 2], "Set14": [1]}))
    assert "None have been written" not in html
    assert html.index("<h4>Set14</h4>") < html.index("<h4>Set5</h4>")
    assert re.findall(r'name="(\S+)"( checked)?>', html) == [
        ("samples0-0", " checked"),
        ("samples0-1", ""),
        ("samples0-1", " checked"),
    ]


def test_warnings_come_first(tmp_path: Path) -> None:
    log = (
        "2026-01-02 03:04:05 INFO all is well\n"
        "2026-01-02 03:05:06 WARNING step 300: mode collapse: <all the same>\n"
        "  a line that belongs to it\n"
    )
    html = page(save_run(tmp_path / "one", HISTORY, log=log))
    assert html.index("What was noticed") < html.index("Curves")
    assert "<time>2026-01-02 03:05:06</time>step 300: mode collapse: &lt;all the same&gt;" in html
    assert "all is well" not in html


def test_several_runs_share_panels_and_have_pictures_each(tmp_path: Path) -> None:
    folders = [save_run(tmp_path / name, HISTORY, samples=(1,)) for name in ("one", "two")]
    html = page(*folders)
    assert len(re.findall("generator: pixel against", html)) == 1
    assert len(re.findall("pictures at step 1", html)) == 2
    assert "2 runs side by side" in html


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    folder = save_run(tmp_path / "one", HISTORY, samples=(1, 2))
    broken = max(folder.rglob("*.png"))
    broken.write_bytes(broken.read_bytes()[:20])
    with pytest.raises(RunError, match=f"{broken} cannot be read as a picture"):
        page(folder)


def test_a_run_without_anything_yet_says_so(tmp_path: Path) -> None:
    html = page(save_run(tmp_path / "one"))
    for text in ("No numbers have been written yet", "None have been written", "not recorded"):
        assert text in html


def test_what_differs_between_runs_comes_first() -> None:
    assert rows([{"a": 1, "b": None, "c": 0.125}, {"a": 1, "b": [1, 2]}]) == [
        Row("b", ["none", "1, 2"], True),
        Row("c", ["0.125", ""], True),
        Row("a", ["1", "1"], False),
    ]


@pytest.mark.parametrize("count", [1, 8, 9, 50])
def test_pictures_are_evenly_spaced_from_the_first_to_the_last(count: int) -> None:
    shown = spaced(range(count), most=8)
    assert len(shown) == min(count, 8)
    assert (shown[0], shown[-1]) == (0, count - 1)
    steps = [after - before for before, after in itertools.pairwise(shown)] or [0]
    assert max(steps) - min(steps) <= 1
