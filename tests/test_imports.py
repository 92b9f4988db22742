"""Which package may import which, seen from the modules that a fresh interpreter ends up with."""

import json
import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.programs import ROOT, run

RULES = {
    "serving": {"torch", "torchvision", "core", "srgan", "tools", "onnx"},
    "core": {"srgan", "serving", "tools"},
    "srgan": {"serving", "tools"},
}


def modules_of(package: str) -> list[str]:
    path = import_module(package).__path__
    found = [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    return [name for name in found if not name.endswith("__main__")]


@pytest.mark.parametrize("package", list(RULES))
def test_no_module_of_a_package_needs_what_lies_beyond_it(package: str) -> None:
    names = modules_of(package)
    assert len(names) > 10
    imports = "\n".join(f"import {name}" for name in names)
    code, output = run("-c", f"{imports}\nimport json, sys\nprint(json.dumps([*sys.modules]))")
    assert code == 0, output
    loaded = {name.partition(".")[0] for name in json.loads(output.splitlines()[-1])}
    assert package in loaded
    assert not RULES[package] & loaded


@pytest.mark.parametrize(
    "program",
    [
        "import serving.session",
        "import srgan.upscalers",
        "import tools.whole_image",
        "import runpy; runpy.run_path('tools/export_onnx.py')",
    ],
)
def test_onnx_runtime_does_not_report_to_its_makers(program: str, tmp_path: Path) -> None:
    """It leaves a file with the session's name in the temporary folder when it does."""
    # On the machines of a build service it would not report anyway.
    known = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "VIRTUAL_ENV")
    environment = {name: os.environ[name] for name in known if name in os.environ}
    command = [sys.executable, "-c", program]
    subprocess.run(command, cwd=ROOT, env=environment | {"TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
