from pathlib import Path

import pytest

from serving.cli.destination import Beside, File, Folder
from serving.cli.errors import WrongUse
from serving.cli.inputs import Found
from serving.cli.plan import Job, plan, without_results
from serving.codec.formats import ImageFormat


def picture(path: str, folder: str | None = None) -> Found:
    top = Path(folder) if folder else Path(path).parent
    return Found(Path(path), Path(path).relative_to(top), Path(folder) if folder else None)


def test_each_picture_is_one_job() -> None:
    pictures = [picture("in/a.png", "in"), picture("in/deep/b.jpg", "in")]
    assert plan(pictures, Folder(Path("out")), "_x4", compare=True) == [
        Job(Path("in/a.png"), Path("out/a.png"), Path("out/a_compare.png")),
        Job(Path("in/deep/b.jpg"), Path("out/deep/b.jpg"), Path("out/deep/b_compare.png")),
    ]


@pytest.mark.parametrize(
    ("pictures", "format", "compare"),
    [
        (["one/a.png", "two/a.png"], None, False),
        (["one/a.png", "one/a.jpg"], ImageFormat.WEBP, False),
        (["one/a.png", "one/a_compare.png"], None, True),
    ],
)
def test_two_results_in_one_file_are_refused(
    pictures: list[str], format: ImageFormat | None, compare: bool
) -> None:
    first, second = pictures
    with pytest.raises(WrongUse, match=f"for both {first} and {second}; expected one result a f"):
        plan(list(map(picture, pictures)), Folder(Path("out")), "_x4", format, compare)


@pytest.mark.parametrize(
    "to", [Folder(Path("in")), Folder(Path("out/../in")), File(Path("in/b.png"))]
)
def test_a_result_never_replaces_a_picture(to: Folder | File) -> None:
    pictures = [picture("in/a.png"), picture("in/b.png")]
    with pytest.raises(WrongUse, match="expected another file than one of the pictures"):
        plan(pictures, to, "_x4")


def test_what_an_earlier_call_has_left_beside_the_pictures_is_no_picture() -> None:
    names = ["cat.png", "cat_x4.png", "cat_x2_compare.png", "dog_x4.png", "other/cat_x4.png"]
    pictures, results = without_results(list(map(picture, names)))
    assert [found.path.as_posix() for found in pictures] == [names[0], names[3], names[4]]
    assert [found.path.as_posix() for found in results] == [names[1], names[2]]
    assert plan(pictures, Beside(), "_x2")[0].target == Path("cat_x2.png")
