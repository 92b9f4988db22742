"""Where the work is done: what the options make of the connection."""

from io import BytesIO
from math import isqrt
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from serving.errors import InvalidConfig
from serving.hints import Hints
from serving.pipeline.upscaler import DEFAULT_MAX_INPUT_PIXELS
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


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"server": ""}, "server is an empty word; expected HOST:PORT"),
        ({"tls": True}, "tls is given; expected it only with server"),
        ({"ca": Path("ca.pem")}, "ca is given; expected it only with server"),
        ({"server": "a:1", "models": (Path("m"),)}, "models is given; expected it only without"),
        ({"server": "a:1", "hints": Hints(halo=0)}, "halo is given; expected it only without"),
        ({"server": "a:1", "hints": Hints(color_order="BGR")}, "color_order is given"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidConfig, match=sentence):
        Service(**options)


def test_pictures_of_ones_own_may_be_larger_than_a_servers(models: Path, tmp_path: Path) -> None:
    side = isqrt(DEFAULT_MAX_INPUT_PIXELS) + 1
    path = tmp_path / "large.png"
    Image.new("1", (side, side)).save(path)
    with Service(models=(models,)).connect("nearest", unlimited=True) as client:
        result = client.upscale(path, width=8).image
    assert Image.open(BytesIO(result)).size == (8, 8)
