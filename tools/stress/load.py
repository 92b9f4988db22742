"""Clients that call again and again, and what became of their calls."""

import io
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Literal, Self

import numpy as np
from PIL import Image

from serving.client import RetryPolicy, UpscaleFailed, UpscalerClient

__all__ = ["ONCE", "Ended", "Load", "picture", "upscaled"]

# A proof wants to see every failure.
ONCE = RetryPolicy(attempts=1)


@cache
def picture(width: int, height: int, format: Literal["JPEG", "PNG"] = "JPEG") -> bytes:
    """Return a file of waves, which compress about as well as a photograph."""
    across = np.sin(np.arange(width) / 11)[None, :, None]
    down = np.sin(np.arange(height) / 7)[:, None, None] * np.array([1, 0.7, 0.4])
    file = io.BytesIO()
    pixels = (128 + 60 * across * down).astype(np.uint8)
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


@dataclass(frozen=True)
class Ended:
    """A call that has ended.

    Attributes:
        started: when it began, by the monotonic clock.
        seconds: that it took.
        failure: why it failed, or None.
    """

    started: float
    seconds: float
    failure: UpscaleFailed | None


def upscaled(client: UpscalerClient, image: bytes, timeout_s: float = 120) -> Ended:
    """Upscale a picture and tell what became of it."""
    started = time.monotonic()
    failure = None
    try:
        client.upscale(image, timeout_s=timeout_s)
    except UpscaleFailed as error:
        failure = error
    return Ended(started, time.monotonic() - started, failure)


@dataclass
class Load:
    """Clients in threads, each with a connection of its own, for as long as a ``with`` block lasts.

    Attributes:
        address: of the server.
        clients: that call one after the other without a pause.
        image: what they send.
        pause_s: that each makes after a failure.
        ended: the calls that have ended.
    """

    address: str
    clients: int
    image: bytes
    pause_s: float = 0.0
    ended: list[Ended] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Let no further call begin."""
        self._over.set()

    def _call(self) -> None:
        with UpscalerClient(self.address, ONCE) as client:
            while not self._over.is_set():
                ended = upscaled(client, self.image)
                self.ended.append(ended)
                if ended.failure:
                    self._over.wait(self.pause_s)

    @property
    def failures(self) -> list[UpscaleFailed]:
        """Why calls failed."""
        return [call.failure for call in self.ended if call.failure]

    @property
    def well(self) -> list[Ended]:
        """The calls that ended well."""
        return [call for call in self.ended if not call.failure]
