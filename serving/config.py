"""The server's settings, checked once."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from serving.catalog import DEFAULT_MODEL
from serving.checks import check_range
from serving.engine import DEFAULT_TILE
from serving.hints import Hints
from serving.load.limits import Limits

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 50051


def available_processors() -> int:
    """Processors that this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class ServerConfig:
    """Serves super-resolution models over gRPC until SIGTERM or SIGINT.

    Raises:
        InvalidConfig: a value is out of its range.
    """

    host: str = DEFAULT_HOST
    """Address to listen on; 0.0.0.0 for every IPv4 interface."""

    port: int = DEFAULT_PORT
    """TCP port; 0 takes a free one, which the ready line names."""

    models: tuple[Path, ...] = ()
    """Model files, or folders of them, offered beside the bundled models."""

    hints: Hints = field(default_factory=Hints)
    """What is known of such models as do not describe themselves."""

    default_model: str = DEFAULT_MODEL
    """The model for requests that name none."""

    workers: int = field(default_factory=available_processors)
    """Tiles computed at the same time; by default one for each processor."""

    threads: int = 1
    """Threads that each of them computes on."""

    tile: int = DEFAULT_TILE
    """Side of the tiles that images are cut into, in input pixels."""

    limits: tyro.conf.OmitArgPrefixes[Limits] = field(default_factory=Limits)
    """What one request, one client and all together may take."""

    reflection: bool = True
    """Tell clients such as grpcurl what the interface is."""

    grace_s: float = 30.0
    """Seconds that running requests get to finish when the server is told to stop."""

    def __post_init__(self) -> None:
        check_range(self, "port", 0, 65535)
        check_range(self, "workers", 1, 1024)
        check_range(self, "threads", 1, 1024)
        check_range(self, "tile", 16, 8192)
        check_range(self, "grace_s", 0, 86_400)
