"""The server's settings, checked once."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from serving.catalog import DEFAULT_MODEL
from serving.engine import DEFAULT_TILE
from serving.errors import InvalidConfig
from serving.hints import Hints
from serving.pipeline.upscaler import DEFAULT_MAX_INPUT_PIXELS, DEFAULT_MAX_OUTPUT_PIXELS
from serving.rpc.channel import DEFAULT_MESSAGE_MIB, LARGEST_MESSAGE_MIB

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
    """Tiles computed at the same time, and requests; by default one for each processor."""

    threads: int = 1
    """Threads that each of them computes on."""

    max_waiting: int = 64
    """Requests that may wait for a worker; further ones are refused."""

    tile: int = DEFAULT_TILE
    """Side of the tiles that images are cut into, in input pixels."""

    max_input_pixels: int = DEFAULT_MAX_INPUT_PIXELS
    """The most pixels that an input image may have."""

    max_output_pixels: int = DEFAULT_MAX_OUTPUT_PIXELS
    """The most pixels that a result may have."""

    max_message_mib: int = DEFAULT_MESSAGE_MIB
    """Largest message in MiB: what Upscale takes and gives; UpscaleStream's pieces are small."""

    max_file_mib: int = 256
    """Largest image file that UpscaleStream takes, in MiB."""

    reflection: bool = True
    """Tell clients such as grpcurl what the interface is."""

    grace_s: float = 30.0
    """Seconds that running requests get to finish when the server is told to stop."""

    def __post_init__(self) -> None:
        self._check("port", 0, 65535)
        self._check("workers", 1, 1024)
        self._check("threads", 1, 1024)
        self._check("max_waiting", 0, 1_000_000)
        self._check("tile", 16, 8192)
        self._check("max_input_pixels", 1, 2**31)
        self._check("max_output_pixels", 1, 2**40)
        self._check("max_message_mib", 1, LARGEST_MESSAGE_MIB)
        self._check("max_file_mib", 1, 65_536)
        self._check("grace_s", 0, 86_400)

    def _check(self, name: str, least: int, most: int) -> None:
        value = getattr(self, name)
        if not least <= value <= most:
            raise InvalidConfig(name, value, f"{least} to {most}")
