"""Docstrings name things as Sphinx does (``:class:`Name```); Markdown has plain code for that."""

import re
from typing import Any

from griffe import Extension, Object

_ROLE = re.compile(r":(?:class|func|meth|mod|data):`[~!]?([^`]+)`")


class Roles(Extension):
    """Turns roles into code."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite a docstring as soon as it has been read."""
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)
