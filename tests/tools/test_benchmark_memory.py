"""The memory benchmark upscales pictures of growing height in processes of their own."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.catalog import BUNDLED
from tests.srgan.pictures import save_pictures
from tools import benchmark_memory as program
from tools.benchmark_memory import draw, peak_mib
from tools.engines import _route
from tools.whole_image import upscale_whole


def test_a_peak_is_what_the_command_held() -> None:
    little = peak_mib([sys.executable, "-c", "pass"])
    much = peak_mib([sys.executable, "-c", "bytearray(100 << 20)"])
    assert much - little == pytest.approx(100, abs=5)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr("sys.argv", ["benchmark_memory", *arguments])
    with pytest.raises(SystemExit) as end:
        program.main()
    return end.value.code


def test_the_table_has_a_row_for_each_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--megapixels", "0.02", "0.04", "--width", "200", "--whole"]
    options += ["--whole-up-to", "0.03", "--plot", str(tmp_path / "plot.png")]
    assert run(monkeypatch, *options) == 0
    title, names, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("jpg, 200 pixels wide")
    assert names.endswith("this project   whole picture")
    assert [row.split()[0] for row in rows] == ["0.02", "0.04"]
    assert [len(row.split()) for row in rows] == [4, 3]  # the second is too large for the script
    with Image.open(tmp_path / "plot.png") as plot:
        assert min(plot.size) > 300


def test_each_way_is_a_curve_over_the_size_of_the_result(tmp_path: Path) -> None:
    target = tmp_path / "plot.svg"
    draw(target, {"flat": [(48, 300), (400, 300)], "steep": [(48, 1800), (96, 3500)]})
    drawn = target.read_text()
    for text in ("flat", "steep", "megapixels of the result", "peak memory, GiB"):
        assert f"<!-- {text} -->" in drawn


def test_the_script_to_compare_with_makes_the_same_picture(tmp_path: Path) -> None:
    """So that its memory is that of the same work."""
    source, target = save_pictures(tmp_path, 1, 300, 270)[0], tmp_path / "whole.png"
    model = BUNDLED / "x4-fast.onnx"
    upscale_whole(str(model), str(source), str(target))
    result = _route("ours", model, 1)(source.read_bytes())
    assert isinstance(result, bytes)
    (tmp_path / "ours.png").write_bytes(result)
    whole, ours = (
        np.asarray(Image.open(tmp_path / f"{name}.png"), int) for name in ("whole", "ours")
    )
    assert np.abs(whole - ours).max() <= 1


@pytest.mark.parametrize("option", ["--megapixels", "--width", "--whole-up-to"])
def test_what_cannot_be_measured_is_exit_code_2(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, option, "0") == 2
