"""What a run runs on and with."""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version

import torch

from core.environment import environment


def test_it_tells_machine_and_versions_as_plain_data() -> None:
    found = environment()
    assert json.loads(json.dumps(found)) == found
    assert found["python"] == platform.python_version()
    assert found["packages"]["torch"] == version("torch")
    assert found["processor"]
    assert found["cores"] >= 1
    assert len(found["gpus"]) == torch.cuda.device_count()
    age = datetime.now(UTC) - datetime.fromisoformat(found["began"])
    assert 0 <= age.total_seconds() < 60
