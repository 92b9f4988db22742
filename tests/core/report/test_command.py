"""``python -m core.report`` and what it refuses."""

from pathlib import Path

import pytest

from core.command import UserError
from core.report.command import ReportConfig, writer
from tests.core.report.runs import save_run


def test_the_page_lies_in_the_first_runs_folder(tmp_path: Path) -> None:
    folders = (save_run(tmp_path / "one"), save_run(tmp_path / "two"))
    assert writer("Seen.")(ReportConfig(folders))
    assert "<title>one, two: training report</title>" in (folders[0] / "report.html").read_text()
    assert not (folders[1] / "report.html").exists()


def test_the_page_lies_where_it_is_asked_for_and_nothing_else_does(tmp_path: Path) -> None:
    out = tmp_path / "pages" / "mine.html"
    writer("Seen.")(ReportConfig((save_run(tmp_path / "one"),), out))
    assert [path.name for path in out.parent.iterdir()] == ["mine.html"]


def test_a_run_must_be_named() -> None:
    with pytest.raises(UserError, match="at least one run"):
        ReportConfig(())


def test_the_page_is_html() -> None:
    with pytest.raises(UserError, match=r"--out must end in \.html"):
        ReportConfig((Path("one"),), Path("page.pdf"))
