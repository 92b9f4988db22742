"""The page in a real browser, as somebody uses it who knows nothing of Python."""

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.programs import ROOT
from tests.serving.web.conftest import DESKTOP, PHONE, Served

pytestmark = pytest.mark.slow

CAT = ROOT / "examples" / "cat.png"
# What the status says comes and goes, its element included.
SAID = "(document.querySelector('#status')?.innerText ?? '')"
WATCH = f"""() => {{
    window.told = [];
    new MutationObserver(() => window.told.push({SAID}))
        .observe(document.body, {{childList: true, subtree: true, characterData: true}});
}}"""
SHOWN = """() => [...document.querySelectorAll('#slider img')].map(
    image => [image.complete, image.naturalWidth, image.naturalHeight])"""


def drop(page: Page, path: Path) -> None:
    page.set_input_files("#picture input[type=file]", path)


def enlarge(page: Page) -> None:
    page.click("#start")
    page.wait_for_selector("#facts dl")


def fits(page: Page) -> bool:
    """Whether nothing sticks out of the window at the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_picture_goes_in_and_a_larger_one_comes_out(page: Page) -> None:
    assert fits(page)
    drop(page, CAT)
    expect(page.locator("#glance")).to_contain_text("320 x 240 pixels, PNG")
    enlarge(page)
    expect(page.locator("#facts")).to_contain_text("1,280 x 960 pixels, from 320 x 240 pixels")
    page.wait_for_function(f"({SHOWN})().every(([complete]) => complete)")
    assert page.evaluate(SHOWN) == [[True, 1280, 960]] * 2
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "cat_x4.png"
    with Image.open(download.value.path()) as image:
        assert (image.format, image.size) == ("PNG", (1280, 960))
    assert fits(page)


def test_the_slider_uncovers_one_picture_or_the_other_and_psnr_is_told(page: Page) -> None:
    page.get_by_text("The cat made small, and its original").click()
    expect(page.locator("#glance")).to_contain_text("80 x 60 pixels, PNG")
    enlarge(page)
    expect(page.locator("#facts")).to_contain_text("dB; bicubic has")
    after = page.locator("#slider img.fixed")
    expect(after).to_have_css("clip-path", "inset(0px 0px 0px 50%)")
    box = page.locator("#slider img").first.bounding_box()
    grip = page.get_by_test_id("slider").locator(".icon-wrap").bounding_box()
    assert box
    assert grip
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], grip["y"] + 5, steps=4)
    page.mouse.up()
    moved = after.evaluate("image => getComputedStyle(image).clipPath")
    assert 20 < float(moved.split()[-1].rstrip("%)")) < 30, moved


def test_progress_is_shown_and_work_can_be_stopped(
    page: Page, served: Served, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"  # so large that a busy browser, too, comes to show how far it is
    Image.open(CAT).resize((4000, 3000)).save(large)
    drop(page, large)
    expect(page.locator("#glance")).to_contain_text("4,000 x 3,000 pixels", timeout=60_000)
    page.click("#start")
    page.wait_for_function(f"/Enlarging: [1-9]/.test({SAID})", timeout=120_000)
    assert 0 < float(page.get_attribute("#status progress", "value") or 0) < 1
    page.click("#stop")
    expect(page.locator("#status")).to_have_text("Stopped. Nothing was kept.")
    expect(page.locator("#start")).to_be_visible()
    assert not [*served.temporary.rglob("partial")]


def test_what_is_wrong_is_told_in_a_sentence(page: Page, tmp_path: Path) -> None:
    alert = page.get_by_role("alert")
    page.click("#start")
    expect(alert).to_have_text("There is no picture yet. Please drop one first.")
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    drop(page, text)
    expect(alert).to_contain_text("This file is not a picture that can be read")
    page.evaluate(WATCH)
    page.click("#start")
    page.wait_for_function("window.told.some(text => text.includes('not a picture'))")
    expect(alert).to_contain_text("This file is not a picture that can be read")
    shown = page.inner_text("body")
    assert "INVALID" not in shown
    assert "Traceback" not in shown


def test_no_other_files_of_the_machine_are_handed_out(served: Served) -> None:
    for path in (ROOT / "pyproject.toml", Path("/etc/hostname"), served.temporary):
        with pytest.raises(HTTPError) as caught:
            urlopen(f"{served.url}gradio_api/file={path}")
        assert caught.value.code in (403, 404)
