"""Links to files outside of the documents lead to pages that show these files."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".proto": "protobuf"}

_LINK = re.compile(r"\]\(([^)#:\s]+)")
_HEAD = "---\nsearch: {exclude: true}\nhide: [toc]\n---\n"


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add a page for each file that a document links to and that is none itself."""
    wanted = {
        path
        for file in files.documentation_pages()
        for link in _LINK.findall(file.content_string)
        if (path := _outside(file.src_uri, link))
    }
    for path in sorted(wanted):
        files.append(File.generated(config, _page(path), content="".join(_shown(path))))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Point such links at these pages."""
    here = page.file.src_uri

    def pointed(link: re.Match[str]) -> str:
        path = _outside(here, link[1])
        return f"]({relpath(_page(path), PurePosixPath(here).parent)}" if path else link[0]

    return _LINK.sub(pointed, markdown)


def _outside(page: str, link: str) -> str | None:
    """Return the file that a page's link leads to, by its path in the repository, or None."""
    path = normpath(PurePosixPath("docs", page).parent / link)
    return path if (ROOT / path).is_file() and not path.startswith("docs/") else None


def _page(path: str) -> str:
    return f"source/{path.removesuffix('.md')}.md"


def _shown(path: str) -> Iterator[str]:
    text = (ROOT / path).read_text()
    yield _HEAD
    if path.endswith(".md"):
        yield text
    else:
        yield f"# {path}\n\n````{LANGUAGES.get(Path(path).suffix, 'text')}\n{text}````\n"
