"""Where the work is done: what the options make of the connection."""

from pathlib import Path

import pytest

from serving.errors import InvalidConfig
from serving.service import Service


@pytest.mark.parametrize("half", ["certificate", "key"])
def test_half_a_pair_is_refused_rather_than_sent_in_the_clear(half: str) -> None:
    service = Service("127.0.0.1:1", **{half: Path("client.pem")})  # type: ignore[arg-type]
    with (
        pytest.raises(InvalidConfig, match="certificate and key is one alone"),
        service.connect(),
    ):
        pass
