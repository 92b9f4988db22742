"""Bearer tokens: who is let in, and how often."""

import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from protos.upscaler.v1 import upscaler_pb2_grpc
from serving.client import RetryPolicy, UpscaleFailed, UpscalerClient
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import InvalidConfig, QuotaExceeded, Unauthenticated
from serving.load import rate
from serving.load.limits import Limits
from serving.load.queue import PixelQueue
from serving.priority import Priority
from serving.security import files
from serving.security.tokens import Tokens, read_tokens
from tests.serving.files import checker, write_png

ONCE = RetryPolicy(attempts=1)


def table(name: str, token: str, *more: str) -> str:
    digest = sha256(token.encode()).hexdigest()
    return "\n".join(["[[tokens]]", f'name = "{name}"', f'sha256 = "{digest}"', *more, ""])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.write_text(table("shop", "open sesame", "max_calls = 1") + table("lab", "abracadabra"))
    return path


def test_known_tokens_are_let_in(file: Path) -> None:
    tokens = Tokens(file)
    assert tokens.check("Bearer open sesame").name == "shop"
    assert tokens.check("bearer abracadabra").name == "lab"


@pytest.mark.parametrize(
    "shown", [None, "", "open sesame", "Basic open sesame", "Bearer", "Bearer ", "Bearer OPEN", b""]
)
def test_all_others_are_not(file: Path, shown: str | bytes | None) -> None:
    with pytest.raises(Unauthenticated, match=r"^authorization is (missing|an unknown token)") as e:
        Tokens(file).check(shown)
    assert "OPEN" not in str(e.value)


def test_a_token_says_how_urgent_its_requests_may_be(file: Path) -> None:
    file.write_text(table("shop", "a", 'priority = "high"') + table("lab", "b"))
    tokens = Tokens(file)
    assert tokens.check("Bearer a").priority is Priority.HIGH
    assert tokens.check("Bearer b").priority is Priority.NORMAL


@pytest.mark.parametrize(
    ("asked", "got"),
    [(None, Priority.NORMAL), (Priority.LOW, Priority.LOW), (Priority.HIGH, Priority.NORMAL)],
)
def test_nobody_gets_a_higher_priority_than_the_token_has(
    file: Path,
    config: ServerConfig,
    monkeypatch: pytest.MonkeyPatch,
    asked: Priority | None,
    got: Priority,
) -> None:
    place, seen = PixelQueue.place, []

    def watched(*args: Any) -> Any:
        seen.append(args[-1])
        return place(*args)

    monkeypatch.setattr(PixelQueue, "place", watched)
    guarded = replace(config, token_file=file)
    with (
        embedded_server(guarded) as address,
        UpscalerClient(address, ONCE, token="abracadabra") as client,
    ):
        client.upscale(write_png(checker(3)), priority=asked)
    assert seen == [got]


def test_a_token_has_its_own_limits(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(rate, "monotonic", lambda: now[0])
    file.write_text(table("shop", "a", "max_calls = 1") + table("lab", "b", "calls_per_minute = 2"))
    tokens = Tokens(file)
    shop, lab = tokens.check("Bearer a"), tokens.check("Bearer b")
    with tokens.used(shop), pytest.raises(QuotaExceeded, match="1 of shop"), tokens.used(shop):
        pass
    for _ in range(2):
        with tokens.used(lab):
            pass
    with pytest.raises(QuotaExceeded, match="exceeded by lab") as caught, tokens.used(lab):
        pass
    assert caught.value.retry_after_s == pytest.approx(30)
    now[0] = 31.0
    with tokens.used(lab):
        pass


@pytest.mark.parametrize("broken", ["nonsense", "tokens = [1]", "[[tokens]]\nname = 1"])
def test_the_file_is_read_again_and_a_broken_one_is_not(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    monkeypatch.setattr(files, "_LOOK_AFTER_S", 0)
    tokens = Tokens(file)
    file.write_text(broken)
    assert tokens.check("Bearer open sesame").name == "shop"
    assert "the tokens stay as they were" in caplog.text
    file.write_text(table("new", "hocus pocus"))
    assert tokens.check("Bearer hocus pocus").name == "new"
    with pytest.raises(Unauthenticated):
        tokens.check("Bearer open sesame")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "tables, and nothing else"),
        ("a = ", "a readable TOML file"),
        ("tokens = 5", "tables, and nothing else"),
        ("tokens = [1]", r"tokens\[0\] is 1; expected a \[\[tokens\]\] table"),
        ("[[tokens]]", r"tokens\[0\].name is None; expected a name"),
        ('[[tokens]]\nname = "a"\nsha256 = "secret"', "64 hexadecimal digits"),
        (table("a", "b", "max_calls = 0"), "whole number of at least 1"),
        (table("a", "b", "max_calls = true"), "whole number of at least 1"),
        (table("a", "b", 'calls_per_minute = "x"'), "a number above 0"),
        (table("a", "b", "priority = 1"), "priority is 1; expected one of low, normal, high"),
        (table("a", "b", "color = 1"), "color is unknown"),
        (table("a", "b") + table("a", "c"), "another name for each token"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(content)
    with pytest.raises(InvalidConfig, match=complaint):
        read_tokens(path)


@pytest.fixture
def address(file: Path) -> Iterator[str]:
    with embedded_server(ServerConfig(port=0, token_file=file)) as address:
        yield address


@pytest.mark.parametrize(
    ("token", "code"),
    [("", "UNAUTHENTICATED"), ("wrong", "UNAUTHENTICATED"), ("open sesame", "OK")],
)
def test_every_call_needs_a_token(address: str, token: str, code: str) -> None:
    with UpscalerClient(address, ONCE, token=token) as client:
        for call in (client.models, client.model, lambda: client.upscale(b"")):
            try:
                call()
                ended = "OK"
            except UpscaleFailed as failure:
                ended = failure.code.name
            # An image of no bytes is refused after the token was accepted.
            assert ended == code or (code == "OK" and ended == "INVALID_ARGUMENT")


def test_a_tokens_own_limit_replaces_that_of_all(file: Path, config: ServerConfig) -> None:
    file.write_text(table("shop", "a", "max_calls = 2") + table("lab", "b"))
    limited = replace(config, token_file=file, limits=Limits(max_client_calls=1))
    with embedded_server(limited) as address:
        for token, allowed in (("a", 2), ("b", 1)):
            assert most_abreast(address, token) == allowed


@pytest.mark.parametrize("token", ["open sesame\n", " open sesame\r\n"])
def test_space_around_a_token_is_not_part_of_it(address: str, token: str) -> None:
    with UpscalerClient(address, ONCE, token=token) as client:
        assert client.models().models


@pytest.mark.parametrize("token", ["caf\u00e9", "open\nsesame", "open\tsesame"])
def test_a_token_that_cannot_be_sent_is_refused_but_not_shown(token: str) -> None:
    with pytest.raises(
        InvalidConfig, match=r"^token is not fit to be sent; expected one"
    ) as caught:
        UpscalerClient("127.0.0.1:1", token=token)
    assert token not in str(caught.value)


def test_reflection_takes_nothing_of_what_a_token_may_have(
    file: Path, config: ServerConfig
) -> None:
    file.write_text(table("shop", "a", "max_calls = 1", "calls_per_minute = 1"))
    over = Event()

    def asked() -> Iterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        over.wait()

    with (
        embedded_server(replace(config, token_file=file)) as address,
        grpc.insecure_channel(address) as channel,
        UpscalerClient(address, ONCE, token="a") as client,
    ):
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        answers = reflection.ServerReflectionInfo(
            asked(), metadata=(("authorization", "Bearer a"),)
        )
        assert next(answers).list_services_response.service
        assert client.models().default_model == config.default_model
        over.set()


def most_abreast(address: str, token: str, calls: int = 3) -> int:
    """How many of some calls that never end are let in."""
    shown = (("authorization", f"Bearer {token}"),)
    over = Event()
    with grpc.insecure_channel(address) as channel:
        upscale = upscaler_pb2_grpc.UpscalerServiceStub(channel).UpscaleStream
        nothing: Any = iter(over.wait, True)
        streams: list[Any] = [upscale(nothing, metadata=shown) for _ in range(calls)]
        time.sleep(0.5)
        let_in = sum(stream.is_active() for stream in streams)
        for stream in streams:
            stream.cancel()
        over.set()
    return int(let_in)


def test_a_call_without_a_token_ends_before_its_message_has_come(address: str) -> None:
    over = Event()
    with grpc.insecure_channel(address) as channel:
        call = channel.stream_unary("/upscaler.v1.UpscalerService/Upscale", None, None)
        with pytest.raises(grpc.RpcError) as caught:
            call(iter(over.wait, True), timeout=10)
        over.set()
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_health_needs_none(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
