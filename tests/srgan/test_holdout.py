"""Pictures that are held out: drawn by their names, and the same whatever joins them."""

import os
from pathlib import Path

import pytest

from core.command import UserError
from srgan.holdout import Division, hold_out
from srgan.pairs import PictureFile
from tests.srgan.pictures import files

COLLECTION = files([Path("photos") / f"{number:04}.png" for number in range(200)])


def test_every_picture_is_in_one_part_in_its_order() -> None:
    training, held_out = hold_out(COLLECTION, 8)
    assert len(held_out) == 8
    assert training == [picture for picture in COLLECTION if picture not in held_out]
    assert held_out == [picture for picture in COLLECTION if picture not in training]


def test_none_is_held_out_where_none_is_asked_for() -> None:
    assert hold_out(COLLECTION, 0) == (COLLECTION, [])


def test_a_picture_that_leaves_moves_no_other_unless_it_was_held_out() -> None:
    _, held_out = hold_out(COLLECTION, 8)
    for left in COLLECTION:
        _, after = hold_out([picture for picture in COLLECTION if picture != left], 8)
        assert len({*held_out} - {*after}) == (left in held_out)


def test_a_picture_that_joins_replaces_one_at_most() -> None:
    _, held_out = hold_out(COLLECTION[:100], 8)
    for joined in COLLECTION[100:]:
        _, after = hold_out([joined, *COLLECTION[:100]], 8)
        assert {*after} <= {*held_out, joined}


def test_where_the_collection_lies_and_how_it_is_spelt_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [picture.hr.name for picture in hold_out(COLLECTION, 8)[1]]
    for folder in ("elsewhere", os.fspath(tmp_path / "a" / ".." / "photos")):
        moved = files([Path(folder) / picture.hr.name for picture in COLLECTION])
        assert [picture.hr.name for picture in hold_out(moved, 8)[1]] == names


def test_pictures_of_one_name_are_told_apart_by_their_folders() -> None:
    scenes = files([Path(f"scene{number}") / "im0.png" for number in range(20)])
    assert {*hold_out(scenes, 4)[1]} == {*hold_out(scenes[::-1], 4)[1]}


def test_pictures_without_a_twin_are_held_out_where_there_are_some() -> None:
    pairs = [PictureFile(Path("HR") / f"{n}.png", Path("LR") / f"{n}.png") for n in range(50)]
    assert hold_out([*pairs, *COLLECTION], 8)[1] == hold_out(COLLECTION, 8)[1]
    assert len(hold_out(pairs, 8)[1]) == 8


def test_more_than_half_is_refused() -> None:
    with pytest.raises(UserError, match="--holdout 3 would take more than half of the 5 pictures"):
        hold_out(COLLECTION[:5], 3)


def test_a_division_is_kept_and_found_again_where_the_data_folder_has_moved(
    tmp_path: Path,
) -> None:
    old, new = (files([Path(data) / f"DIV2K_train_HR/{n}.png" for n in range(4)]) for data in "ab")
    Division.of(old[:3], old[3:], Path("a")).save(tmp_path / "pictures.json")
    division = Division.load(tmp_path / "pictures.json")
    assert division is not None
    assert division.divide(new, Path("b")) == (new[:3], new[3:])
    division.require(Division.of(new[:3], new[3:], Path("b")))


def test_what_is_new_is_trained_on_and_what_has_changed_is_told() -> None:
    division = Division.of(COLLECTION[:9], COLLECTION[9:10], Path("data"))
    assert division.divide(COLLECTION[1:12], Path("data")) == (
        [*COLLECTION[1:9], *COLLECTION[10:12]], COLLECTION[9:10]
    )  # fmt: skip
    with pytest.raises(UserError, match="1 pictures are gone and 2 are new, such as photos/0000"):
        division.require(Division.of(COLLECTION[1:9], COLLECTION[9:12], Path("data")))
