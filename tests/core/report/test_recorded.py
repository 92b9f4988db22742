"""A run's folder, read back: whatever of it is there."""

from pathlib import Path

import pytest

from core.report.recorded import read_runs
from core.run import RunError
from tests.core.report.runs import save_run

HISTORY = [
    {"step": 10, "generator/pixel": 0.5, "time/data_wait": 0.1},
    {"step": 20, "generator/pixel": 0.25, "validation/psnr": 30.0},
]


def test_each_value_is_a_series_of_its_own(tmp_path: Path) -> None:
    (run,) = read_runs([save_run(tmp_path / "one", HISTORY)])
    assert run.name == "one"
    assert run.series == {
        "generator/pixel": [(10, 0.5), (20, 0.25)],
        "time/data_wait": [(10, 0.1)],
        "validation/psnr": [(20, 30.0)],
    }
    assert run.steps == 20


def test_pictures_come_in_the_order_of_their_steps(tmp_path: Path) -> None:
    folder = save_run(tmp_path / "one", samples=(30, 5, 1000))
    (folder / "samples" / "cat.png").touch()
    (run,) = read_runs([folder])
    assert [step for step, _ in run.samples[""]] == [5, 30, 1000]
    assert run.steps == 1000


def test_pictures_of_sets_have_a_strip_each_after_the_runs_own(tmp_path: Path) -> None:
    sets = {"Set5": [1, 2], "Set14": [2], "empty": []}
    (run,) = read_runs([save_run(tmp_path / "one", samples=[1], sets=sets)])
    strips = {name: [step for step, _ in strip] for name, strip in run.samples.items()}
    assert list(strips.items()) == [("", [1]), ("Set14", [2]), ("Set5", [1, 2])]
    assert run.steps == 2


def test_a_run_that_has_just_begun_or_is_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (run,) = read_runs([save_run(tmp_path / "one")])
    assert (run.series, run.samples, run.warnings, run.environment) == ({}, {}, [], {})
    assert run.steps == 0


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    folders = [save_run(tmp_path / parent / "run") for parent in ("a", "b")]
    assert [run.name for run in read_runs(folders)] == [str(folder) for folder in folders]


def test_a_folder_without_a_run_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nothing.*no config\.json"):
        read_runs([tmp_path / "nothing"])


@pytest.mark.parametrize("name", ["config.json", "environment.json"])
@pytest.mark.parametrize("content", ["{", "[1]"])
def test_a_broken_file_is_refused_by_name(tmp_path: Path, name: str, content: str) -> None:
    folder = save_run(tmp_path / "one")
    (folder / name).write_text(content)
    with pytest.raises(RunError, match=name):
        read_runs([folder])
