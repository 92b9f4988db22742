"""The notebook runs from top to bottom, and is kept without what it puts out."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.programs import ROOT

TOUR = ROOT / "examples" / "tour.ipynb"


def test_it_is_kept_without_outputs() -> None:
    for cell in nbformat.read(TOUR, as_version=4).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.slow
def test_it_runs_and_each_step_shows_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    notebook = nbformat.read(TOUR, as_version=4)
    NotebookClient(notebook, timeout=270, resources={"metadata": {"path": str(here)}}).execute()
    kinds: list[str] = []
    printed = ""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            kinds += output.get("data", {})
            printed += output.get("text", "")
    assert kinds.count("image/png") == 3  # digits, figure 1, the row of enlarged pictures
    assert "step 600:" in printed
    assert "mine 208 208" in printed
    assert not list(here.iterdir())  # everything went into its own temporary folder
