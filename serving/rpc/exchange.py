"""The messages of a call, to and from a client that may stand still or send too much."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from google.protobuf.message import DecodeError

from serving.errors import InvalidRequest, MessageTooLarge, TimeLimitExceeded

Deserialize = Callable[[bytes], Any]


class Exchange:
    """Reads and writes messages, and waits for the client only so long.

    Args:
        max_idle_s: seconds that a message may be waited for, or may wait to be taken.
        max_bytes: of a message that is read.
    """

    def __init__(self, max_idle_s: float | None = None, max_bytes: int | None = None) -> None:
        self._max_idle_s = max_idle_s
        self._max_bytes = max_bytes

    async def read_one(self, requests: AsyncIterator[bytes], read: Deserialize | None) -> Any:
        """The only message of a call.

        Raises:
            TimeLimitExceeded: it does not come.
            InvalidRequest: it is missing, or none of this call.
            MessageTooLarge: it has too many bytes.
        """
        request = await self._next(requests)
        if request is None:
            raise InvalidRequest("request", "missing", "one message")
        return _read(request, read)

    async def read_each(
        self, requests: AsyncIterator[bytes], read: Deserialize | None
    ) -> AsyncIterator[Any]:
        """Each message of a call, as it comes.

        Raises:
            TimeLimitExceeded: the next does not come.
            InvalidRequest: one is none of this call.
            MessageTooLarge: one has too many bytes.
        """
        while (request := await self._next(requests)) is not None:
            yield _read(request, read)

    async def write_each(self, responses: AsyncGenerator[Any, None], context: Any) -> None:
        """Writes what a handler yields.

        Raises:
            TimeLimitExceeded: the client does not take it.
        """
        # Written, not yielded: else the generator would not learn of a cancellation meanwhile.
        async with aclosing(responses):
            async for response in responses:
                with self._idle_is_refused("response"):
                    async with asyncio.timeout(self._max_idle_s):
                        await context.write(response)

    async def _next(self, requests: AsyncIterator[bytes]) -> bytes | None:
        with self._idle_is_refused("request"):
            async with asyncio.timeout(self._max_idle_s):
                request = await anext(requests, None)
        if request and self._max_bytes and len(request) > self._max_bytes:
            raise MessageTooLarge(
                "request",
                f"{len(request)} bytes",
                f"at most {self._max_bytes}; UpscaleStream takes a file in several messages",
            )
        return request

    @contextmanager
    def _idle_is_refused(self, field: str) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise TimeLimitExceeded(
                field, f"idle for {self._max_idle_s:g} s", "a client that goes on sooner"
            ) from error


def _read(request: bytes, read: Deserialize | None) -> Any:
    try:
        return read(request) if read else request
    except DecodeError as error:
        raise InvalidRequest("request", "no message of this call", "one") from error
