"""Distillation: what the teacher made of each crop, once, and never of a held-out picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.command import UserError
from srgan.distil import DistilConfig, distil
from srgan.sources import training_pictures
from tests.srgan.pictures import save_pictures


def pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(path))


def asked(folder: Path, out: Path, **settings: object) -> list[Path]:
    config = DistilConfig(
        "bicubic", str(folder), out, **{"holdout": 0, "side": 16, **settings}  # type: ignore[arg-type]
    )  # fmt: skip
    assert distil(config)
    return sorted((out / "HR").iterdir())


def test_pairs_hold_the_teachers_picture_of_the_crop(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 2, height=96, width=88)[0].parent
    large = asked(folder, tmp_path / "taught", crops=3)
    assert len(large) == 6
    pairs = training_pictures(str(tmp_path / "taught"), tmp_path, scale=4)
    assert [pair.hr for pair in pairs] == large
    for pair in pairs:
        assert pair.lr is not None
        lr = Image.open(pair.lr)
        assert lr.size == (16, 16)
        assert (pixels(pair.hr) == np.asarray(lr.resize((64, 64), Image.Resampling.BICUBIC))).all()


def test_what_is_there_already_is_not_asked_again(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 3, height=96, width=88)[0].parent
    first, second, third = asked(folder, tmp_path / "taught")
    first.unlink()
    for path in (second, third):
        Image.new("RGB", (64, 64)).save(path)
    asked(folder, tmp_path / "taught")
    assert pixels(first).any()
    assert not pixels(second).any()
    assert not pixels(third).any()


def test_small_pictures_are_taken_whole_and_broken_ones_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = save_pictures(tmp_path / "pictures", 1, height=40, width=88)[0].parent
    (folder / "broken.png").write_bytes(b"no picture")
    assert [pixels(path).shape for path in asked(folder, tmp_path / "taught")] == [(40, 64, 3)]
    assert "broken.png cannot be read" in caplog.text


def test_pictures_that_training_holds_out_are_not_asked_about(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 4)[0].parent
    names = " ".join(path.name for path in asked(folder, tmp_path / "taught", holdout=1))
    assert [number in names for number in ("0000", "0001", "0002", "0003")] == [1, 1, 0, 1]


@pytest.mark.parametrize("name", ["holdout", "crops", "side", "seed"])
def test_wrong_settings_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"--{name} must be at least"):
        DistilConfig("bicubic", "pictures", Path("out"), **{name: -1})  # type: ignore[arg-type]


def test_a_device_that_torch_does_not_know_is_refused(tmp_path: Path) -> None:
    config = DistilConfig("bicubic", str(tmp_path), tmp_path / "taught", device="foo")
    with pytest.raises(UserError, match="device 'foo' is not one that torch knows"):
        distil(config)


def test_a_place_that_cannot_be_had_is_found_before_the_teacher_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_pictures(tmp_path / "pictures", 1)[0].parent
    config = DistilConfig("bicubic", str(folder), folder / "0000.png" / "taught", holdout=0)
    monkeypatch.setattr("srgan.distil._taught", lambda *_: pytest.fail("the teacher was asked"))
    with pytest.raises(NotADirectoryError):
        distil(config)
