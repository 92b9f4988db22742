"""What a run runs on and with: machine, system, versions; kept beside its settings."""

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from typing import Any

import torch

from core import distributed
from core.machine import loaded_packages, memory_gib, processor, source_revision

__all__ = ["environment"]


def environment() -> dict[str, Any]:
    """Return plain data: when and how the process began, hardware, and versions by package."""
    return {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", *sys.orig_argv[1:]]),
        "revision": source_revision(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": memory_gib(),
        "gpus": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
        "processes": distributed.size(),
        "packages": loaded_packages(),
    }
