"""Guards around the calls of the service itself; health and reflection are always answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from serving.errors import TimeLimitExceeded
from serving.load.budget import Budget
from serving.load.clients import ClientLimit
from serving.load.limits import Limits
from serving.rpc.service import NAME


def client_of(context: Any) -> str:
    """The address that a call comes from, without its port."""
    kind, _, rest = str(context.peer()).partition(":")
    return rest.rpartition(":")[0] if kind in ("ipv4", "ipv6") else kind


class LimitGuard:
    """Bounds the calls under way, of one client and of all, and how long each takes."""

    def __init__(self, limits: Limits) -> None:
        self._calls = Budget("server", "calls", limits.max_calls)
        self._clients = ClientLimit(limits.max_client_calls)
        self._max_call_s = limits.max_call_s

    @asynccontextmanager
    async def __call__(self, context: Any, method: str) -> AsyncIterator[None]:
        """Guards one call.

        Raises:
            QuotaExceeded: the client has too many calls under way.
            ServerBusy: all together have.
            TimeLimitExceeded: it takes too long.
        """
        if not method.startswith(f"/{NAME}/"):
            yield
            return
        async with self._clients.call(client_of(context)):
            self._calls.take(1)
            try:
                async with asyncio.timeout(self._max_call_s) as limit:
                    yield
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise TimeLimitExceeded(
                    "call", f"longer than {self._max_call_s:g} s", "a call that is done by then"
                ) from error
            finally:
                self._calls.give_back(1)
