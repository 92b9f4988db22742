"""Guards around calls; those for health need no token and count for no limit but their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from time import monotonic

from serving.errors import MessageTooLarge, ServerStopping, TimeLimitExceeded
from serving.load.budget import Budget
from serving.load.clients import ClientLimit
from serving.load.limits import Limits
from serving.load.queue import PixelQueue
from serving.rpc.call import Call
from serving.rpc.service import NAME
from serving.security.tokens import Tokens

_HEALTH = "/grpc.health."
_UPSCALING = (f"/{NAME}/Upscale", f"/{NAME}/UpscaleStream")
_POLL_S = 0.02


class DrainGuard:
    """Lets calls in until it is closed, and knows when all have left."""

    def __init__(self) -> None:
        self._open = True
        self._calls = 0

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Guards one call.

        Raises:
            ServerStopping: after :meth:`close`.
        """
        if not _is_ours(call):
            yield
            return
        if not self._open:
            raise ServerStopping("server", "stopping", "another server, or a new try later")
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    def close(self) -> None:
        """From now on, calls are refused."""
        self._open = False

    async def empty(self, timeout_s: float) -> None:
        """Waits until all calls that were let in have ended, or the time is over."""
        end = monotonic() + timeout_s
        while self._calls and monotonic() < end:
            await asyncio.sleep(_POLL_S)


class MetadataGuard:
    """Refuses calls that come with too much beside their messages.

    Args:
        max_kib: of metadata.
    """

    def __init__(self, max_kib: int) -> None:
        self._max_bytes = max_kib * 2**10

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Guards one call.

        Raises:
            MessageTooLarge: its metadata are.
        """
        if call.metadata_bytes > self._max_bytes:
            raise MessageTooLarge(
                "metadata", f"{call.metadata_bytes} bytes", f"at most {self._max_bytes}"
            )
        yield


class AccessGuard:
    """Lets in only those who show a token, except to ask for the server's health.

    Only calls to the service itself are counted against what the token may have.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Guards one call, whose client is then known by the token's name.

        Raises:
            Unauthenticated: it shows no token that is known.
            QuotaExceeded: the token has been shown too often, or too often at a time.
        """
        if call.method.startswith(_HEALTH):
            yield
            return
        token = self._tokens.check(call.metadata.get("authorization"))
        call.client = token.name
        call.top_priority = token.priority
        call.max_calls = token.max_calls
        with self._tokens.used(token) if _is_ours(call) else nullcontext():
            yield


class LimitGuard:
    """Bounds the calls under way, of one client and of all, and how long each takes.

    Those to other services (health, reflection) are bounded by address, each method by itself, and
    may last: whoever watches health does so without end.
    """

    def __init__(self, limits: Limits) -> None:
        self._calls = Budget("server", "calls", limits.max_calls)
        self._clients = ClientLimit(limits.max_client_calls)
        self._others = ClientLimit(limits.max_client_calls)
        self._max_call_s = limits.max_call_s

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Guards one call.

        Raises:
            QuotaExceeded: the client has too many calls under way.
            ServerBusy: all together have.
            TimeLimitExceeded: it takes too long.
        """
        if not _is_ours(call):
            with self._others.call(f"{call.method} from {call.address}"):
                yield
            return
        with self._clients.call(call.client, call.max_calls), self._calls.lent(1):
            try:
                async with asyncio.timeout(self._max_call_s) as limit:
                    yield
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise TimeLimitExceeded(
                    "call", f"longer than {self._max_call_s:g} s", "a call that is done by then"
                ) from error


class QueueGuard:
    """Refuses pictures while the queue is full, before their bytes are read."""

    def __init__(self, queue: PixelQueue) -> None:
        self._queue = queue

    @asynccontextmanager
    async def __call__(self, call: Call) -> AsyncIterator[None]:
        """Guards one call.

        Raises:
            ServerBusy: it is to upscale a picture, and the queue is full.
        """
        if call.method in _UPSCALING:
            self._queue.check()
        yield


def _is_ours(call: Call) -> bool:
    return call.method.startswith(f"/{NAME}/")
