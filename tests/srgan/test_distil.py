"""Distillation: what the teacher made of each crop, once, and never of a held-out picture."""

import errno
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.command import UserError
from core.picture_files import Pixels
from srgan import distil as distil_module
from srgan.distil import DistilConfig, distil
from srgan.generators import GeneratorSpec, save_generator
from srgan.holdout import hold_out
from srgan.sources import training_pictures
from srgan.upscalers import Upscaler
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


def test_pictures_of_like_names_have_pairs_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    for name, level in (("x.png", 40), ("x.bmp", 90), ("a/b.png", 140), ("a-b.png", 190)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), (level,) * 3).save(folder / name)
    large = asked(folder, tmp_path / "taught")
    assert sorted(pixels(path).mean() for path in large) == [40, 90, 140, 190]
    for path in large:
        assert pixels(path.parents[1] / "LRx4" / path.name).mean() == pixels(path).mean()


def test_other_ways_to_spell_the_same_folder_ask_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_pictures(tmp_path / "pictures", 2)[0].parent
    first = asked(folder, tmp_path / "taught")
    monkeypatch.setattr("srgan.distil._taught", lambda *_: pytest.fail("the teacher was asked"))
    monkeypatch.chdir(tmp_path)
    for spelt in (Path("pictures"), tmp_path / "taught" / ".." / "pictures"):
        assert asked(spelt, tmp_path / "taught") == first


def test_crops_do_not_keep_their_whole_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Pixels] = []
    taught = distil_module._taught

    def watched(teacher: Upscaler, crops: list[Pixels], *rest: Any) -> list[Pixels]:
        given.extend(crops)
        return taught(teacher, crops, *rest)

    monkeypatch.setattr(distil_module, "_taught", watched)
    asked(save_pictures(tmp_path / "pictures", 1)[0].parent, tmp_path / "taught", crops=2)
    assert [crop.base for crop in given] == [None, None]


def test_a_full_disk_ends_it_before_the_teacher_is_asked_about_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_pictures(tmp_path / "pictures", 60)[0].parent
    times = 0

    def answer(_teacher: Upscaler, crops: list[Pixels], *_: Any) -> list[Pixels]:
        nonlocal times
        times += 1
        time.sleep(0.01)
        return crops

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(distil_module, "_taught", answer)
    monkeypatch.setattr(Image.Image, "save", full)
    monkeypatch.setattr(
        "sys.argv", ["distil", "bicubic", "--data", str(folder), "--out", str(tmp_path / "taught")]
    )
    with pytest.raises(SystemExit) as end:
        distil_module.main()
    assert end.value.code == 2
    assert times < 20
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"error: {tmp_path / 'taught' / 'HR'}")
    assert line.endswith(".png cannot be read or written: No space left on device")


def test_small_pictures_are_taken_whole_and_broken_ones_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = save_pictures(tmp_path / "pictures", 1, height=40, width=88)[0].parent
    (folder / "broken.png").write_bytes(b"no picture")
    assert [pixels(path).shape for path in asked(folder, tmp_path / "taught")] == [(40, 64, 3)]
    assert "broken.png cannot be read" in caplog.text


def test_pictures_that_training_holds_out_are_not_asked_about(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 4)[0].parent
    training, _ = hold_out(training_pictures(str(folder), tmp_path, scale=4), 1)
    stems = [path.name.partition("-")[0] for path in asked(folder, tmp_path / "taught", holdout=1)]
    assert stems == [picture.hr.stem for picture in training]


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
    (tmp_path / "file").touch()
    config = DistilConfig("bicubic", str(folder), tmp_path / "file" / "taught", holdout=0)
    monkeypatch.setattr("srgan.distil._taught", lambda *_: pytest.fail("the teacher was asked"))
    with pytest.raises(NotADirectoryError):
        distil(config)


def test_another_teachers_pictures_are_not_mixed_in(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 2, height=96, width=88)[0].parent
    before = [path.read_bytes() for path in asked(folder, tmp_path / "taught")]
    config = DistilConfig("lanczos", str(folder), tmp_path / "taught", holdout=0, side=16)
    with pytest.raises(UserError, match="what another teacher has made, bicubic: name another"):
        distil(config)
    assert [path.read_bytes() for path in asked(folder, tmp_path / "taught")] == before


def test_a_teacher_is_known_by_its_weights_wherever_they_lie(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 2, height=96, width=88)[0].parent

    def teacher(path: Path, seed: int) -> Path:
        torch.manual_seed(seed)
        spec = GeneratorSpec("plain", 2, 16, 1)
        save_generator(path, spec, spec.build().state_dict(), {})
        return path

    def ask(path: Path) -> bool:
        return distil(DistilConfig(str(path), str(folder), tmp_path / "taught", holdout=0, side=16))

    first = teacher(tmp_path / "one.safetensors", 0)
    assert ask(first)
    assert ask(first.rename(tmp_path / "moved.safetensors"))
    with pytest.raises(UserError, match=r"another teacher has made, one\.safetensors"):
        ask(teacher(tmp_path / "one.safetensors", 1))


def test_pairs_are_not_put_where_pictures_are_looked_for(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 2, height=96, width=88)[0].parent
    with pytest.raises(UserError, match="is inside --data"):
        asked(folder, folder / "taught")
    assert not (folder / "taught").exists()
