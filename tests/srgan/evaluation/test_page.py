"""The page: figures, crops and nothing from elsewhere."""

import base64
import io
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from srgan.evaluation.crops import Crop
from srgan.evaluation.measures import Measure
from srgan.evaluation.page import Section, render_page
from srgan.evaluation.scores import PictureScore, SetScore
from srgan.evaluation.table import notes

PSNR = Measure("psnr_y", "PSNR-Y", 2, True, lambda *_: math.nan)
NIQE = Measure("niqe", "NIQE", 3, False, lambda *_: math.nan)


def scored(model: str, *values: tuple[float, float]) -> SetScore:
    pictures = [
        PictureScore(f"{i}.png", {"psnr_y": psnr, "niqe": niqe}, 0.25)
        for i, (psnr, niqe) in enumerate(values)
    ]
    return SetScore(model, "Set<2>", 4, tuple(pictures))


SCORES = [
    scored("bicubic", (28.0, 7.5), (26.0, math.nan)),
    scored("a&b.onnx", (31.0, 6.0), (math.inf, 8.0)),
]


@pytest.fixture(scope="module")
def crop() -> Crop:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    return Crop("1.png", 16, 24, {"original": pixels, "bicubic": pixels // 2, "a&b.onnx": pixels})


@pytest.fixture(scope="module")
def page(crop: Crop) -> str:
    return render_page([Section(SCORES, [crop])], [PSNR, NIQE])


class Balance(HTMLParser):
    """Keeps the elements that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_whole_html_that_asks_for_nothing_else(page: str) -> None:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert not re.findall(r"<script|<link|url\(|https?:", page)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)', page))
    assert 'content="width=device-width' in page


def test_the_best_of_a_column_is_bold(page: str) -> None:
    rows = re.findall(r"<tr><th>(bicubic|a&amp;b.onnx)</th>(.*?)</tr>", page)
    assert [name for name, _ in rows] == ["bicubic", "a&amp;b.onnx"]
    assert rows[0][1] == "<td>27.00</td><td>7.500</td><td>0.250</td>"
    assert rows[1][1] == '<td class="best">31.00</td><td class="best">7.000</td><td>0.250</td>'


def test_names_are_text_not_html(page: str) -> None:
    assert "Set&lt;2&gt;, 4 times larger, 2 pictures" in page
    assert "a&amp;b.onnx" in page
    assert "a&b" not in page


def test_crops_are_whole_and_say_what_and_where(page: str, crop: Crop) -> None:
    assert "1.png <small>16 from the left, 24 from the top</small>" in page
    assert "<figcaption>bicubic<span>PSNR-Y 26.00</span>" in page
    found = re.findall(r'src="data:image/webp;base64,([^"]*)"', page)
    for encoded, pixels in zip(found, crop.versions.values(), strict=True):
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as opened:
            assert np.array_equal(np.array(opened), pixels.numpy())


def test_a_mean_that_leaves_pictures_out_is_noted() -> None:
    assert notes(SCORES, [PSNR, NIQE]) == [
        "NIQE of bicubic on Set<2> is the mean of 1 of 2 pictures; "
        "for the others it is not defined.",
        "PSNR-Y of a&b.onnx on Set<2> is the mean of 1 of 2 pictures; "
        "for the others it is infinite: they equal their originals.",
    ]
