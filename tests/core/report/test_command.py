"""``python -m core.report`` and what it refuses."""

from dataclasses import fields
from pathlib import Path

import pytest

import core.report.__main__
import srgan.report
from core.command import UserError
from core.report.command import Kind, ReportConfig, writer
from core.vanilla_config import VanillaConfig
from srgan.config import TrainConfig
from tests.core.report.runs import save_run

KIND = Kind("Seen.", "seed", "other.report")


def test_the_page_lies_in_the_first_runs_folder(tmp_path: Path) -> None:
    folders = (save_run(tmp_path / "one"), save_run(tmp_path / "two"))
    assert writer(KIND)(ReportConfig(folders))
    assert "<title>one, two: training report</title>" in (folders[0] / "report.html").read_text()
    assert not (folders[1] / "report.html").exists()


def test_the_page_lies_where_it_is_asked_for_and_nothing_else_does(tmp_path: Path) -> None:
    out = tmp_path / "pages" / "mine.html"
    writer(KIND)(ReportConfig((save_run(tmp_path / "one"),), out))
    assert [path.name for path in out.parent.iterdir()] == ["mine.html"]


def test_a_run_must_be_named() -> None:
    with pytest.raises(UserError, match="at least one run"):
        ReportConfig(())


def test_the_page_is_html() -> None:
    with pytest.raises(UserError, match=r"--out must end in \.html"):
        ReportConfig((Path("one"),), Path("page.pdf"))


def test_a_run_whose_pictures_show_something_else_is_refused(tmp_path: Path) -> None:
    folders = save_run(tmp_path / "one"), save_run(tmp_path / "two", config={"noise": "uniform"})
    with pytest.raises(
        UserError, match=r"two is a run of another kind, for python -m other\.repor"
    ):
        writer(KIND)(ReportConfig(folders))
    assert not (folders[0] / "report.html").exists()


def test_each_of_the_two_commands_names_the_other_for_what_is_not_its_own() -> None:
    sizes, game = srgan.report.KIND, core.report.__main__.KIND
    assert (sizes.other, game.other) == ("core.report", "srgan.report")
    settings = {field.name for field in fields(TrainConfig)}
    others = {field.name for field in fields(VanillaConfig)}
    assert sizes.setting in settings - others
    assert game.setting in others - settings
