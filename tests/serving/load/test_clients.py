import pytest

from serving.errors import QuotaExceeded
from serving.load.clients import ClientLimit


def test_each_client_has_its_own_calls() -> None:
    limit = ClientLimit(1)
    with limit.call("a"), limit.call("b"):
        sentence = "calls is 1 of a; expected at most 1 at a time"
        with pytest.raises(QuotaExceeded, match=sentence), limit.call("a"):
            pass
        with limit.call("c"):
            pass
    with limit.call("a"):
        pass


def test_a_client_may_have_a_limit_of_its_own() -> None:
    limit = ClientLimit(1)
    with limit.call("a", 2), limit.call("a", 2), pytest.raises(QuotaExceeded), limit.call("a", 2):
        pass
