"""The timeline says what each thread did, and draws it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.stages import Event
from tools import timeline
from tools.timeline import busy


def test_the_time_of_each_thread_is_summed_by_stage() -> None:
    second = 10**9
    events = [
        Event("upscale", 7, 2 * second, 5 * second),
        Event("decode", 3, 0, second),
        Event("decode", 3, 4 * second, 6 * second),
    ]
    assert busy(events) == {3: {"decode": 3.0}, 7: {"upscale": 3.0}}
    assert list(busy(events)) == [3, 7]


def test_a_picture_is_upscaled_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, plot = tmp_path / "in.png", tmp_path / "plot.png"
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(picture)
    arguments = ["timeline", str(picture), "--out", str(plot), "--workers", "1"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as end:
        timeline.main()
    assert end.value.code == 0
    first, *threads = capsys.readouterr().out.splitlines()
    assert first.startswith("240x160 by x4-fast")
    assert "% of 1 processors busy" in first
    assert any("upscale" in line for line in threads)
    assert any("encode" in line for line in threads)
    with Image.open(plot) as drawn:
        assert drawn.width > 300
    monkeypatch.setattr("sys.argv", ["timeline", str(tmp_path / "none.png")])
    with pytest.raises(SystemExit) as end:
        timeline.main()
    assert end.value.code == 2
