"""Files in pieces: what fits in a message, whatever the file's size."""

from collections.abc import AsyncIterator, Iterable, Iterator

from protos.upscaler.v1.upscaler_pb2 import UpscaleStreamRequest
from serving.errors import FileTooLarge, InvalidRequest
from serving.pipeline.upscaler import Options
from serving.rpc.messages import options_of

CHUNK_BYTES = 1 << 20


def split(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of :data:`CHUNK_BYTES`, of which the last may be smaller."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


async def receive(
    requests: AsyncIterator[UpscaleStreamRequest], max_bytes: int
) -> tuple[Options, bytes]:
    """The options, which may be missing, and the file that follows.

    Raises:
        InvalidOption: an option has a value that is never allowed.
        InvalidRequest: a message is empty, or the options do not come first.
        FileTooLarge: the file has more than `max_bytes`.
    """
    options = Options()
    file = bytearray()
    first = True
    async for request in requests:
        match request.WhichOneof("part"):
            case "options" if first:
                options = options_of(request.options)
            case "chunk" if request.chunk:
                if len(file) + len(request.chunk) > max_bytes:
                    raise FileTooLarge("image", f"more than {max_bytes} bytes", "a smaller file")
                file += request.chunk
            case part:
                raise InvalidRequest(
                    part or "part",
                    "in a later message" if part == "options" else "empty",
                    "options in the first message only, then chunks of at least one byte",
                )
        first = False
    return options, bytes(file)
