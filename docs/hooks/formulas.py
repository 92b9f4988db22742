"""Formulas: fences named ``math`` become MathML, which a browser draws without any script."""

from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig


def on_config(config: MkDocsConfig) -> None:
    """Let fences named ``math`` hold formulas."""
    fence = {"name": "math", "class": "math", "format": formula}
    config.mdx_configs.setdefault("pymdownx.superfences", {})["custom_fences"] = [fence]


def formula(source: str, *_: Any, **__: Any) -> str:
    """Return LaTeX as a block of MathML."""
    return f'<div class="formula">{convert(source, display="block")}</div>'
