"""What the documents hold for machines: blocks of code, and commands within sentences."""

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.programs import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_MARK = re.compile(r"<!-- not run:?(.*?)-->\s*", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        line: where it begins in its page.
        language: what its fence says; empty for an indented block, which is one of the shell.
        text: what it holds.
        reason: why it is not run, from ``<!-- not run: REASON -->`` before it; None where it is.
    """

    line: int
    language: str
    text: str
    reason: str | None


def name_of(page: Path) -> str:
    """Return a page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return a page's blocks of code, in order."""
    found = []
    reason = None
    for token in _MARKDOWN.parse(page.read_text()):
        if token.type == "html_block" and (mark := _MARK.fullmatch(token.content)):
            reason = mark[1].strip()
            continue
        if token.type in ("code_block", "fence"):
            assert token.map is not None
            found.append(Block(token.map[0] + 1, token.info.strip(), token.content, reason))
        elif reason is not None:
            raise ValueError(f"{name_of(page)}: no block of code follows 'not run: {reason}'")
        reason = None
    return found


def inline_commands(page: Path) -> list[str]:
    """Return the commands that a page names within its sentences and tables."""
    inlines = (token for token in _MARKDOWN.parse(page.read_text()) if token.children)
    codes = (child.content for token in inlines for child in token.children or ())
    return [code for code in codes if re.match(r"(python|upscale) \S+ ", code)]


def python_blocks(page: Path) -> list[str]:
    """Return the text of a page's blocks of Python."""
    return [block.text for block in blocks(page) if block.language == "python"]
