"""Files appear whole or not at all."""

from pathlib import Path

import pytest

from core.files import appearing


def test_a_file_appears_when_the_block_ends_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    with appearing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == ".html"
    assert path.read_text() == "whole"
    assert [*path.parent.iterdir()] == [path]


def broken_off(path: Path, begun: bool) -> None:
    with appearing(path) as temporary:
        if begun:
            temporary.write_text("half")
        raise KeyboardInterrupt


@pytest.mark.parametrize("begun", [True, False])
def test_a_block_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, begun: bool) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        broken_off(path, begun)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_the_file_may_be_read_by_whoever_may_read_other_new_files(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    with appearing(tmp_path / "page.html") as temporary:
        temporary.touch(mode=0o600)
    assert (tmp_path / "page.html").stat().st_mode == other.stat().st_mode
