"""The client of few words speaks enough HTTP/2 for gRPC's own server."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import grpc
import pytest

from tools.stress.bare_client import BareClient

Answer = Callable[[bytes, grpc.ServicerContext], bytes]
Result = TypeVar("Result")
METHOD = "/test.Echo/Say"


class Service(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers any method."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request, _context: request
        self.methods: list[str] = []

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        self.methods.append(details.method)
        return grpc.unary_unary_rpc_method_handler(lambda *given: self.answer(*given))


@pytest.fixture
def served() -> Iterator[tuple[Service, str, grpc.Server]]:
    service = Service()
    options = [("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(2), handlers=[service], options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield service, f"127.0.0.1:{port}", server
    server.stop(None).wait()


def run(coroutine: Coroutine[None, None, Result]) -> Result:
    """Run it to its end, in a thread: the test's own may have a loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def calls(address: str, request: bytes, number: int) -> list[grpc.StatusCode]:
    async def all_calls() -> list[grpc.StatusCode]:
        async with BareClient(address, METHOD, request) as client:
            return [await asyncio.wait_for(client.call(), 10) for _ in range(number)]

    return run(all_calls())


@pytest.mark.parametrize("octets", [0, 1, 2**14 - 5, 2**14 - 4, 2**16 - 6])
def test_the_request_arrives_as_often_as_it_is_sent(
    served: tuple[Service, str, grpc.Server], octets: int
) -> None:
    service, address, _ = served
    request = bytes(range(256)) * 256
    requests: list[bytes] = []

    def keep(request: bytes, _context: grpc.ServicerContext) -> bytes:
        requests.append(request)
        return b""

    service.answer = keep
    # together far more than the server lets a connection send before it has read
    assert calls(address, request[:octets], 40) == [grpc.StatusCode.OK] * 40
    assert requests == [request[:octets]] * 40
    assert set(service.methods) == {METHOD}


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code.value[0]])
def test_it_tells_how_a_call_ended(
    served: tuple[Service, str, grpc.Server], code: grpc.StatusCode
) -> None:
    service, address, _ = served

    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("retry", "grpc-status:0" * 9),))
        context.abort(code, "grpc-message is not what ended it")
        raise AssertionError

    service.answer = refuse
    assert calls(address, b"hello", 3) == [code] * 3


def test_large_answers_pass(served: tuple[Service, str, grpc.Server]) -> None:
    service, address, _ = served
    service.answer = lambda _request, _context: bytes(5_000_000)
    assert calls(address, b"", 3) == [grpc.StatusCode.OK] * 3


def test_windows_are_widened_again(
    served: tuple[Service, str, grpc.Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.stress.bare_client._LARGEST_WINDOW", 2**17)
    service, address, _ = served
    service.answer = lambda _request, _context: bytes(100_000)
    assert calls(address, b"", 10) == [grpc.StatusCode.OK] * 10


def test_a_lost_connection_ends_the_call_and_every_further_one(
    served: tuple[Service, str, grpc.Server],
) -> None:
    service, address, server = served

    def stop(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        server.stop(None).wait(5)
        return b""

    async def call_on(client: BareClient) -> None:
        while await asyncio.wait_for(client.call(), 10):
            pass

    async def both() -> None:
        async with BareClient(address, METHOD, b"") as client:
            for _ in range(2):
                with pytest.raises(ConnectionError, match="the connection was lost"):
                    await call_on(client)

    service.answer = stop
    run(both())


def test_a_request_beyond_the_first_window_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 65530 bytes, not 65531"):
        BareClient("127.0.0.1:1", METHOD, bytes(65_531))
