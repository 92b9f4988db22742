"""Where the work is done: what the options make of the connection."""

from pathlib import Path

import pytest

from serving.errors import InvalidConfig
from serving.service import Service


@pytest.mark.parametrize("variable", ["grpc_proxy", "http_proxy", "https_proxy"])
def test_the_server_inside_is_not_behind_a_proxy(
    models: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with Service(models=(models,)).connect("nearest") as client:
        assert client.models(timeout_s=10).default_model == "nearest"


@pytest.mark.parametrize("half", ["certificate", "key"])
def test_half_a_pair_is_refused_rather_than_sent_in_the_clear(half: str) -> None:
    service = Service("127.0.0.1:1", **{half: Path("client.pem")})  # type: ignore[arg-type]
    with (
        pytest.raises(InvalidConfig, match="certificate and key is one alone"),
        service.connect(),
    ):
        pass
