"""Findings: each kind of picture that should not be trained on, and none that should."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srgan import check_data as program
from srgan.check_data import difference_hash, findings
from srgan.pairs import PictureFile
from tests.srgan.pictures import files


def waves(seed: int, height: int = 220, width: int = 260) -> Image.Image:
    """A smooth picture of its own for each seed."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (6, 7, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def save(picture: Image.Image, path: Path, quality: int = 95) -> Path:
    picture.save(path, quality=quality)
    return path


def found(pictures: list[Path], tests: list[Path]) -> list[tuple[str, str]]:
    return found_in(files(pictures), tests)


def found_in(pictures: list[PictureFile], tests: list[Path]) -> list[tuple[str, str]]:
    return [
        (kind, path.name)
        for kind, path, _ in findings(pictures, tests, scale=2, smallest=192, distance=20)
    ]


def test_different_pictures_are_left_alone(tmp_path: Path) -> None:
    pictures = [save(waves(seed), tmp_path / f"{seed}.jpg") for seed in range(12)]
    tests = [save(waves(100 + seed), tmp_path / f"test{seed}.png") for seed in range(4)]
    assert found(pictures, tests) == []


def test_each_kind_is_found(tmp_path: Path) -> None:
    test = save(waves(1), tmp_path / "test.png")
    broken = tmp_path / "broken.png"
    broken.write_bytes(test.read_bytes()[:2000])
    pictures = [
        broken,
        save(waves(2), tmp_path / "first.png"),
        save(waves(2).resize((400, 340)), tmp_path / "larger.jpg", quality=60),
        save(waves(3).resize((260, 100)), tmp_path / "flat.png"),
        save(waves(1).resize((300, 250)), tmp_path / "leak.jpg", quality=70),
        save(waves(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT), tmp_path / "mirror.png"),
    ]
    assert found(pictures, [test]) == [
        ("unreadable", "broken.png"),
        ("duplicate", "larger.jpg"),
        ("tiny", "flat.png"),
        ("leaked", "leak.jpg"),
        ("leaked", "mirror.png"),
    ]


@pytest.mark.parametrize("pose", [None, *Image.Transpose])
def test_a_test_picture_is_found_in_every_pose(
    pose: Image.Transpose | None, tmp_path: Path
) -> None:
    test = save(waves(1), tmp_path / "test.png")
    posed = waves(1) if pose is None else waves(1).transpose(pose)
    pictures = [save(posed.resize((250, 300)), tmp_path / "leak.jpg", quality=80),
                save(waves(2), tmp_path / "other.png")]  # fmt: skip
    assert found(pictures, [test]) == [("leaked", "leak.jpg")]


def test_twins_are_held_to_their_size_and_read_in_full(tmp_path: Path) -> None:
    large = save(waves(1), tmp_path / "large.png")
    twins = [
        save(waves(1).resize((130, 110)), tmp_path / "good.png"),
        save(waves(1).resize((130, 109)), tmp_path / "short.png"),
        tmp_path / "broken.png",
    ]
    twins[2].write_bytes(twins[0].read_bytes()[:500])
    kinds = [found_in([PictureFile(large, twin)], []) for twin in twins]
    assert kinds == [[], [("mismatched", "large.png")], [("unreadable", "large.png")]]


def test_the_hash_survives_size_and_compression_and_tells_others_apart() -> None:
    original = difference_hash(np.asarray(waves(5)))
    assert original.shape == (256,)
    again = difference_hash(np.asarray(waves(5).resize((120, 90))))
    other = difference_hash(np.asarray(waves(6)))
    assert np.count_nonzero(original != again) <= 20 < np.count_nonzero(original != other)


def test_the_command_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save(waves(1), tmp_path / "a.png")
    save(waves(1), tmp_path / "b.png")
    monkeypatch.setattr("sys.argv", ["check_data", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"duplicate: {tmp_path / 'b.png'}")
    assert lines[-1] == "2 pictures: 0 unreadable, 0 mismatched, 0 tiny, 1 duplicate, 0 leaked"


def test_a_test_picture_that_cannot_be_read_is_one_sentence_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save(waves(1), tmp_path / "a.png")
    broken = tmp_path / "tests" / "broken.png"
    broken.parent.mkdir()
    broken.write_bytes(b"not a picture")
    arguments = ["check_data", str(tmp_path), "--test-sets", str(broken.parent)]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 2
    assert f"error: --test-sets: {broken} cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--smallest", "0"], ["--scale", "0"], ["--distance", "128"]])
def test_wrong_settings_are_exit_code_2(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["check_data", str(tmp_path), *options])
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 2
