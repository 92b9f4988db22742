"""What a client pulls in; which packages serving may use at all is in tests/test_imports.py."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["serving.client", "serving.cli"])
def test_a_client_needs_no_runtime(name: str) -> None:
    program = f"import {name}, json, sys; print(json.dumps([*sys.modules]))"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout
    loaded = {module.partition(".")[0] for module in json.loads(output)}
    assert not {"onnxruntime", "PIL", "numpy"} & loaded
