"""Which package may import which, seen from the modules that a fresh interpreter ends up with."""

import json
import pkgutil
from importlib import import_module

import pytest

from tests.programs import run

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
