import asyncio

import pytest

from serving.errors import QuotaExceeded
from serving.load.clients import ClientLimit


def test_each_client_has_its_own_calls() -> None:
    async def scenario() -> None:
        limit = ClientLimit(1)
        async with limit.call("a"), limit.call("b"):
            with pytest.raises(QuotaExceeded, match="calls is 1 of a; expected at most 1 at a tim"):
                async with limit.call("a"):
                    pass
            async with limit.call("c"):
                pass
        async with limit.call("a"):
            pass

    asyncio.run(scenario())


def test_a_client_may_have_a_limit_of_its_own() -> None:
    async def scenario() -> None:
        limit = ClientLimit(1)
        async with limit.call("a", 2), limit.call("a", 2):
            with pytest.raises(QuotaExceeded):
                async with limit.call("a", 2):
                    pass

    asyncio.run(scenario())
