"""The contact sheet: pairs of patches, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.command import UserError
from srgan.contact_sheet import SheetConfig, contact_sheet
from tests.srgan.pictures import save_pairs, save_pictures


def rendered(
    folder: Path, out: Path, **settings: object
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    config = SheetConfig(
        data=str(folder), cache_dir=out.parent / "cache", patch=8, scale=2, patches=7, out=out,
        **settings,  # type: ignore[arg-type]
    )  # fmt: skip
    assert contact_sheet(config)
    return np.asarray(Image.open(out))


def test_pairs_stand_side_by_side(tmp_path: Path) -> None:
    folder = save_pictures(tmp_path / "pictures", 3, 48, 40)[0].parent
    sheet = rendered(folder, tmp_path / "sheet.png", degradation="bicubic")
    # 14 patches of 16 pixels, 12 in a row, a line of one pixel around each
    assert sheet.shape == (2 * 17 + 1, 12 * 17 + 1, 3)
    degraded, original = sheet[1:17, 1:17].astype(int), sheet[1:17, 18:34].astype(int)
    assert (degraded[::2, ::2] == degraded[1::2, 1::2]).all()
    assert abs(degraded.mean() - original.mean()) < 2
    again = rendered(folder, tmp_path / "again.png", degradation="bicubic")
    assert (sheet == again).all()
    other = rendered(folder, tmp_path / "other.png", degradation="real", seed=1)
    assert (sheet != other).any()


def test_pairs_of_two_folders_are_shown_as_they_are_and_not_degraded(tmp_path: Path) -> None:
    folder = save_pairs(tmp_path / "pairs", 2)
    sheet = rendered(folder, tmp_path / "sheet.png", degradation="bicubic")
    # the twins are half as bright as what they belong to
    assert sheet[1:17, 1:17].mean() == pytest.approx(sheet[1:17, 18:34].mean() / 2, abs=2)
    with pytest.raises(UserError, match="--degradation real makes its own"):
        rendered(folder, tmp_path / "real.png", degradation="real")


@pytest.mark.parametrize(
    "change", [{"patch": 7}, {"patches": 0}, {"scale": 1}, {"out": Path("sheet.jpg")}]
)
def test_wrong_settings_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(UserError, match=f"--{next(iter(change))} must"):
        SheetConfig(**change)  # type: ignore[arg-type]
