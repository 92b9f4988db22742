"""The site is built strictly: no link leads nowhere, and nothing is fetched from elsewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from srgan.config import RECIPES
from tests.programs import ENVIRONMENT, ROOT

CARDS = sorted((ROOT / "serving" / "models").glob("*.md"))


class Page(HTMLParser):
    """What a page of the site links to, loads, and can be linked to by."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.places: list[str] = []
        self.tags: set[str] = set()
        self.language: str | None = None
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "html":
            self.language = dict(attributes).get("lang")
        for name, value in attributes:
            if name == "id" and value:
                self.places.append(value)
            if value and (name == "src" or (name == "href" and tag == "link")):
                self.loaded.add(value)
            elif value and name == "href":
                self.links.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return {path: Page(path) for path in folder.rglob("*.html")}


@pytest.mark.slow
def test_every_link_within_the_site_leads_to_a_place(site: dict[Path, Page]) -> None:
    lost = set()
    for path, page in site.items():
        if path.name == "404.html":  # its links begin at the root of a server
            continue
        for link in page.links | page.loaded:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if not target.exists() or (place and place not in site[target].places):
                lost.add((path.name, link))
    assert not lost


@pytest.mark.slow
def test_a_page_loads_nothing_from_elsewhere(site: dict[Path, Page]) -> None:
    assert not {link for page in site.values() for link in page.loaded if urlsplit(link).netloc}


@pytest.mark.slow
def test_a_places_name_is_its_own(site: dict[Path, Page]) -> None:
    for path, page in site.items():
        doubled = {place for place in page.places if page.places.count(place) > 1}
        assert not doubled, path.name


@pytest.mark.slow
def test_formulas_are_drawn_by_the_browser_itself(site: dict[Path, Page]) -> None:
    (page,) = (page for path, page in site.items() if path.name == "srgan.html" and
               path.parent.name != "reference" and "math" in page.tags)  # fmt: skip
    assert {"mfrac", "msub", "munderover"} <= page.tags


@pytest.mark.slow
def test_a_page_says_in_which_language_it_is(site: dict[Path, Page]) -> None:
    languages = {"zh": "zh-Hans"}
    for path, page in site.items():
        assert page.language == languages.get(path.parent.name, "en"), path.name


@pytest.mark.slow
def test_docstrings_are_there(site: dict[Path, Page]) -> None:
    places = {place for page in site.values() for place in page.places}
    assert {
        "core.trainer.Trainer.train",
        "srgan.losses.perceptual_term",
        "serving.client.sync.UpscalerClient.upscale",
        "tools.export_onnx.ExportConfig",
    } <= places


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_bundled_models_card_is_linked(card: Path) -> None:
    assert f"(../serving/models/{card.name})" in (ROOT / "docs" / "models.md").read_text()


@pytest.mark.parametrize("name", RECIPES)
def test_the_page_on_losses_tells_what_a_recipe_weighs(name: str) -> None:
    config = RECIPES[name]  # type: ignore[index]
    row = (
        f"| `{name}` | {config.pixel_weight} {config.pixel_loss} "
        f"| {config.perceptual_weight} {config.features}, {config.perceptual_loss} "
        f"| {config.adversarial_weight} {config.adversarial} | {config.grid_weight} |"
    )
    assert row in (ROOT / "docs" / "srgan.md").read_text().splitlines()


def test_pages_outside_of_the_site_have_links_that_lead_somewhere() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
            assert (ROOT / target).exists(), target
