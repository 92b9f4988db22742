"""The PNG benchmark encodes the same pixels in both ways."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.command import UserError
from serving.codec.formats import Compression
from tests.srgan.pictures import picture, save_pictures
from tools import benchmark_png as program
from tools.benchmark_png import PngConfig, compare


def test_both_files_hold_the_same_pixels() -> None:
    pixels = picture(40, 56, seed=1)
    ours = [program._ours(pixels, compression) for compression in Compression]
    for file in (*ours, program._pillows(pixels)):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), pixels)


def test_it_prints_each_picture_the_mean_and_the_worst(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_pictures(tmp_path / "pictures", 5, 40, 56)[0].parent
    assert compare(PngConfig(folder, side=16, pictures=3, rounds=1))
    _, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[2] for row in rows[:-2]] == ["0000.png", "0002.png", "0004.png"]
    sizes = [float(row[0]) for row in rows[:-2]]
    assert float(rows[-2][0]) == pytest.approx(sum(sizes) / 3, abs=0.001)
    assert float(rows[-1][0]) == max(sizes)
    assert float(rows[-1][1]) == min(float(row[1]) for row in rows[:-2])


def test_numbers_below_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--side must be at least 1, not 0"):
        PngConfig(tmp_path, side=0)
    with pytest.raises(UserError, match="--pictures must be at least 1, not -1"):
        PngConfig(tmp_path, pictures=-1)
    with pytest.raises(UserError, match="--rounds must be at least 1, not 0"):
        PngConfig(tmp_path, rounds=0)
