"""A server in a process of its own, and what the kernel knows of it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from core.command import UserError

__all__ = ["ServerProcess"]

_TICKS = os.sysconf("SC_CLK_TCK")


class ServerProcess:
    """A running server, killed at the end of its ``with`` block. Linux only.

    Args:
        options: of its command line; host and port are given.

    Raises:
        UserError: it does not start.
    """

    def __init__(self, *options: str) -> None:
        if sys.platform != "linux":
            raise UserError("the proofs look into /proc, which only Linux has")
        command = [sys.executable, "-m", "serving.server", "--host", "127.0.0.1", "--port", "0"]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        match = re.search(r" on (\S+:\d+)$", line.strip())
        if not match:
            self._process.kill()
            raise UserError(f"the server did not start: {self.log()[-500:]}")
        self.address = match[1]
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self, timeout_s: float = 60) -> int:
        """Wait for the end and return the exit code."""
        return self._process.wait(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def log(self) -> str:
        """Return what it has logged."""
        self._log.seek(0)
        return self._log.read()

    def children(self) -> list[int]:
        """Return the processes that it started."""
        text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def processor_s(self) -> float:
        """Return the seconds of processor time that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        """Return the memory that it has resident."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def descriptors(self) -> int:
        """Return the number of its open files and sockets."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def idle_after_s(self, at_most_s: float = 5.0) -> float:
        """Return the seconds until it begins to do next to nothing for 100 ms."""
        started = time.monotonic()
        while (now := time.monotonic()) - started < at_most_s:
            before = self.processor_s()
            time.sleep(0.1)
            if self.processor_s() - before <= 1 / _TICKS:
                return now - started
        return at_most_s
