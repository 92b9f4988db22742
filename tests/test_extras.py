"""Commands that need more than an install for serving has say so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import ENVIRONMENT, ROOT

# Python imports this by itself when it starts.
HIDES_TORCH = """
from importlib.machinery import PathFinder

found = PathFinder.find_spec

def find_spec(name, *given):
    return None if name.partition(".")[0] == "torch" else found(name, *given)

PathFinder.find_spec = find_spec
"""


@pytest.mark.parametrize(
    "program",
    [
        "-m core.evaluate",
        "-m core.report",
        "-m core.sample",
        "-m core.train_vanilla",
        "-m core.evaluation.classifier",
        "-m srgan.check_data",
        "-m srgan.evaluate",
        "-m srgan.report",
        "-m srgan.train",
        "-m tools.export_onnx",
        "tools/export_onnx.py",
    ],
)
def test_without_torch_a_command_says_how_to_install_it(program: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDES_TORCH)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *program.split(), "--help"],
        cwd=ROOT,
        env=ENVIRONMENT | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == (
        "error: this needs the extra [train]: pip install 'srgan-service[train]'\n"
    )
    assert (done.returncode, done.stdout) == (2, "")
