"""The machine that a program runs on, and what it runs with."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

__all__ = ["loaded_packages", "memory_gib", "processor", "source_revision"]

_ROOT = Path(__file__).parent.parent


def processor() -> str:
    """Return the processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory_gib() -> float | None:
    """Return the machine's memory, or None where the system does not say."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)


@cache
def _distributions() -> dict[str, list[str]]:
    return {module: sorted(set(names)) for module, names in packages_distributions().items()}


def loaded_packages() -> dict[str, str]:
    """Return the version of every installed package that this process has imported."""
    modules = {name.partition(".")[0] for name in sys.modules}
    names = {name for module in modules for name in _distributions().get(module, [])}
    return {name: version(name) for name in sorted(names, key=str.lower)}


def source_revision() -> str | None:
    """Return the commit of the source tree, with ``-dirty`` appended where it was changed.

    None where the project was installed without its repository, or there is no git.
    """
    if not (_ROOT / ".git").exists():
        return None
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
