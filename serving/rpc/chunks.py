"""Files in pieces: what fits in a message, whatever the file's size."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from io import BytesIO

from protos.upscaler.v1.upscaler_pb2 import UpscaleStreamRequest
from serving.codec.decode import check_beginning
from serving.errors import FileTooLarge, InvalidRequest
from serving.load.budget import Budget
from serving.pipeline.upscaler import Options
from serving.rpc.channel import CHUNK_BYTES
from serving.rpc.messages import options_of


def split(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of :data:`CHUNK_BYTES`, of which the last may be smaller."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(memoryview(waiting)[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


class Upload:
    """A file that comes in pieces; close it when the file is no longer needed.

    Args:
        max_bytes: size of the largest file.
        max_pixels: of the largest image, judged as soon as its header is here.
        memory: where its bytes are taken from.
    """

    def __init__(self, max_bytes: int, max_pixels: int, memory: Budget) -> None:
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._memory = memory
        self._taken = 0

    def close(self) -> None:
        """Gives the bytes back."""
        self._memory.give_back(self._taken)
        self._taken = 0

    async def receive(self, requests: AsyncIterator[UpscaleStreamRequest]) -> tuple[Options, bytes]:
        """The options, which may be missing, and the file that follows.

        Raises:
            InvalidOption: an option has a value that is never allowed.
            InvalidRequest: a message is empty, or the options do not come first.
            FileTooLarge: the file is too large.
            ImageTooLarge: the image is, by the header in its first piece.
            ServerBusy: too many others are held.
        """
        options = Options()
        file = BytesIO()  # A list would take far more than the file for pieces of a byte each.
        first = True
        async for request in requests:
            match request.WhichOneof("part"):
                case "options" if first:
                    options = options_of(request.options)
                case "chunk" if request.chunk:
                    self._take(len(request.chunk))
                    if not file.tell():
                        await asyncio.to_thread(check_beginning, request.chunk, self._max_pixels)
                    file.write(request.chunk)
                case part:
                    raise InvalidRequest(
                        part or "part",
                        "in a later message" if part == "options" else "empty",
                        "options in the first message only, then chunks of at least one byte",
                    )
            first = False
        return options, file.getvalue()

    def _take(self, size: int) -> None:
        if self._taken + size > self._max_bytes:
            raise FileTooLarge("image", f"more than {self._max_bytes} bytes", "a smaller file")
        self._memory.take(size)
        self._taken += size
