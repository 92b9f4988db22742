"""Running the project's commands as a user does, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start ``python ARGUMENTS`` in the repository's root."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(*arguments: str | Path) -> tuple[int, str]:
    """Run ``python ARGUMENTS`` to its end; return its exit code and all that it wrote."""
    with start(*arguments) as process:
        output, _ = process.communicate(timeout=240)
        return process.returncode, output
