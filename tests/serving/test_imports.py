import json
import pkgutil
import subprocess
import sys

import serving

HEAVY = {"torch", "core", "srgan", "tools", "onnx"}


def modules_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after `statement`."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps([*sys.modules]))"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout
    return {name.split(".")[0] for name in json.loads(output)}


def test_serving_needs_no_training_package() -> None:
    names = [
        module.name for module in pkgutil.walk_packages(serving.__path__, f"{serving.__name__}.")
    ]
    assert "serving.server" in names
    assert "serving.codec.decode" in names
    assert not HEAVY & modules_after("\n".join(f"import {name}" for name in names))


def test_a_client_needs_no_runtime() -> None:
    for name in ("serving.client", "serving.cli"):
        assert not {"onnxruntime", "PIL", "numpy"} & modules_after(f"import {name}")
