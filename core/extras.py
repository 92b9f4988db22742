"""Whether what training needs is installed: an install for serving alone lacks it."""

import sys
from importlib.util import find_spec

__all__ = ["require_train"]

# Of the extra, what every command imports.
_NEEDED = ("jinja2", "matplotlib", "safetensors", "torch")


def require_train(*more: str) -> None:
    """End the program by a sentence and exit code 2 where the extra ``train`` is not installed.

    Args:
        more: packages of the extra that the program imports beside those that all do.
    """
    if any(find_spec(name) is None for name in (*_NEEDED, *more)):
        sys.stderr.write(
            "error: this needs the extra [train]: pip install 'srgan-service[train]'\n"
        )
        sys.exit(2)
