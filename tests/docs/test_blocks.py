"""Every block of code in the documents works; what cannot run here is at least understood."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.documents import PAGES, Block, blocks, inline_commands, name_of
from tests.docs.sandbox import Sandbox, at
from tests.programs import ROOT

# Runs that a page speaks of and that its blocks do not make.
TAKEN_FOR_GRANTED = {
    "README.md": ("srgan",),
    "docs/gan.md": ("digits",),
    "docs/training.md": ("other",),
}

ENGLISH, CHINESE = ROOT / "docs" / "index.md", ROOT / "docs" / "zh" / "get-started.md"
every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@every_page
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    assert all(block.reason != "" for block in blocks(page))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page != CHINESE], ids=name_of)
def test_a_pages_blocks_work(page: Path, sandbox: Sandbox) -> None:
    name = name_of(page)
    folder = sandbox.folder(name.replace("/", "-"), TAKEN_FOR_GRANTED.get(name, ()))
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks(page):
        try:
            check(block, sandbox, folder, names)
        except Exception as error:
            raise AssertionError(f"{name}, line {block.line}: {error}") from error


def check(block: Block, sandbox: Sandbox, folder: Path, names: dict[str, object]) -> None:
    match block.language:
        case "":
            sandbox.shell(folder, block.text, only_parse=block.reason is not None)
        case "python":
            code = compile(sandbox.text(block.text), "block", "exec")
            if block.reason is None:
                with at(folder):
                    exec(code, names)
        case "toml":
            tomllib.loads(block.text)
        case "math" | "markdown":
            pass  # formulas are drawn where the site is built
        case other:
            raise ValueError(f"nobody knows how to run {other!r}")


@pytest.mark.slow
@every_page
def test_commands_within_sentences_are_understood(page: Path, sandbox: Sandbox) -> None:
    folder = sandbox.folder(f"inline-{name_of(page).replace('/', '-')}")
    for command in inline_commands(page):
        whole = re.fullmatch(r"python \S+( \S+)?", command) is None
        sandbox.shell(folder, command if whole else f"{command} --help", only_parse=True)


def test_the_chinese_page_has_the_english_ones_blocks() -> None:
    english, chinese = (
        [(block.language, block.text, block.reason) for block in blocks(page)]
        for page in (ENGLISH, CHINESE)
    )
    assert chinese == english
