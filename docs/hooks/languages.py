"""A page says in which language it is, so that browsers spell, speak and translate it rightly."""

from typing import Any

from mkdocs.structure.pages import Page

LANGUAGES = {"zh": "zh-Hans"}
"""By the folder of the page; all others are in the theme's own, English."""


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Put a page's own language in the place of the theme's."""
    language = LANGUAGES.get(page.file.src_uri.partition("/")[0])
    return output.replace('<html lang="en"', f'<html lang="{language}"', 1) if language else output
