import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import pytest

from serving.errors import InvalidImage, InvalidModel, ServerBusy, UnknownModel
from serving.rpc.call import Call
from serving.rpc.interceptor import CallInterceptor

ERRORS: dict[bytes, Exception] = {
    b"image": InvalidImage("image", "empty", "a file"),
    b"model": UnknownModel("model", "'x'", "one of: y"),
    b"busy": ServerBusy("queue", "full", "a new try"),
    b"fault": InvalidModel("secret/path.onnx", "broken", "a model"),
    b"bug": ZeroDivisionError("secret"),
}


async def fail(request: bytes) -> bytes:
    if request == b"wait":
        await asyncio.sleep(10)
    if request in ERRORS:
        raise ERRORS[request]
    return request


async def one(request: bytes, context: Any) -> bytes:
    if request == b"abort":
        await context.abort(grpc.StatusCode.DATA_LOSS, "own choice")
    return await fail(request)


async def many(request: bytes, context: Any) -> AsyncIterator[bytes]:
    yield b"first"
    yield await one(request, context)


async def one_of_stream(requests: AsyncIterator[bytes], context: Any) -> bytes:
    return b"".join([await one(request, context) async for request in requests])


async def many_of_stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield await one(request, context)


async def many_by_writing(request: bytes, context: Any) -> None:
    await context.write(await one(request, context))


async def all_of_stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    async for _ in requests:
        pass
    yield await one(b"image", context)


async def gone(request: bytes, context: Any) -> bytes:  # noqa: ARG001
    """What gRPC does when a client is gone before the answer."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().call_later(0.001, task.cancel)
    raise grpc.aio.InternalError("cannot send")


async def without_end() -> AsyncIterator[bytes]:
    yield b"wait"
    await asyncio.sleep(10)


# Every call to a server of these tests, once it has ended.
observed: list[Call] = []

HANDLERS = {
    "one": grpc.unary_unary_rpc_method_handler(one),
    "many": grpc.unary_stream_rpc_method_handler(many),
    "one_of_stream": grpc.stream_unary_rpc_method_handler(one_of_stream),
    "many_of_stream": grpc.stream_stream_rpc_method_handler(many_of_stream),
    "all_of_stream": grpc.stream_stream_rpc_method_handler(all_of_stream),
    "gone": grpc.unary_unary_rpc_method_handler(gone),
    "many_by_writing": grpc.unary_stream_rpc_method_handler(many_by_writing),
}


@asynccontextmanager
async def running() -> AsyncIterator[str]:
    """A fresh server's address."""
    server = grpc.aio.server(interceptors=[CallInterceptor(observers=[observed.append])])
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test", HANDLERS)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(5)


async def outcome(method: str, request: bytes) -> tuple[grpc.StatusCode, str]:
    """Code and details of one call to a fresh server."""
    async with running() as address, grpc.aio.insecure_channel(address) as channel:
        path = f"/test/{method}"
        if method == "one":
            call: Any = channel.unary_unary(path, None, None)(request)
        elif method == "one_of_stream":
            call = channel.stream_unary(path, None, None)(iter([request]))
        else:
            if method == "many_of_stream":
                call = channel.stream_stream(path, None, None)(iter([request]))
            else:
                call = channel.unary_stream(path, None, None)(request)
            with suppress(grpc.RpcError):  # A stream has its code once it has been read.
                async for _ in call:
                    pass
        return await call.code(), await call.details()


@pytest.fixture(params=[name for name in HANDLERS if name not in ("all_of_stream", "gone")])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"image", grpc.StatusCode.INVALID_ARGUMENT),
        (b"model", grpc.StatusCode.NOT_FOUND),
        (b"busy", grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_domain_errors_keep_their_sentence(
    method: str, request_: bytes, code: grpc.StatusCode
) -> None:
    assert asyncio.run(outcome(method, request_)) == (code, str(ERRORS[request_]))


@pytest.mark.parametrize("request_", [b"bug", b"fault"])
def test_the_unexpected_is_logged_and_its_details_stay_here(
    method: str, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "serving.rpc.interceptor"):
        code, details = asyncio.run(outcome(method, request_))
    assert code == grpc.StatusCode.INTERNAL
    assert "secret" not in details
    request_id = details.split()[-1]
    (record,) = caplog.records
    assert request_id in record.getMessage()
    assert record.exc_info
    assert record.exc_info[1] is ERRORS[request_]


def test_observers_learn_how_each_call_ended(method: str) -> None:
    ends = []
    for request in (b"fine", b"busy", b"bug", b"abort"):
        asyncio.run(outcome(method, request))
        call = observed[-1]
        assert call.method == f"/test/{method}"
        assert call.seconds > 0
        ends.append((call.code.name, call.reason))
    assert ends == [
        ("OK", ""),
        ("RESOURCE_EXHAUSTED", "SERVER_BUSY"),
        ("INTERNAL", "INTERNAL"),
        ("DATA_LOSS", ""),
    ]


@pytest.mark.parametrize(
    ("timeout_s", "cancelled_s", "code"),
    [
        (0.3, None, grpc.StatusCode.DEADLINE_EXCEEDED),
        (1.234, None, grpc.StatusCode.DEADLINE_EXCEEDED),
        (60, 0.3, grpc.StatusCode.CANCELLED),
        (None, 0.3, grpc.StatusCode.CANCELLED),
    ],
)
@pytest.mark.parametrize("method", ["one", "many_of_stream", "all_of_stream"])
def test_observers_tell_a_deadline_from_a_cancellation(
    method: str, timeout_s: float | None, cancelled_s: float | None, code: grpc.StatusCode
) -> None:
    async def scenario() -> None:
        async with running() as address, grpc.aio.insecure_channel(address) as channel:
            if method == "one":
                call: Any = channel.unary_unary("/test/one", None, None)(b"wait", timeout=timeout_s)
            else:
                start = channel.stream_stream(f"/test/{method}", None, None)
                call = start(without_end(), timeout=timeout_s)
            if cancelled_s:
                await asyncio.sleep(cancelled_s)
                call.cancel()
            assert await call.code() == code
            await asyncio.sleep(0.1)

    asyncio.run(scenario())
    assert observed[-1].code == code


def test_an_answer_that_nobody_takes_any_more_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        async with running() as address, grpc.aio.insecure_channel(address) as channel:
            with suppress(grpc.RpcError):
                await channel.unary_unary("/test/gone", None, None)(b"", timeout=1)

    with caplog.at_level(logging.ERROR, "serving"):
        asyncio.run(scenario())
    assert observed[-1].code == grpc.StatusCode.CANCELLED
    assert not caplog.records


def test_a_handler_may_abort_by_itself(method: str) -> None:
    assert asyncio.run(outcome(method, b"abort")) == (grpc.StatusCode.DATA_LOSS, "own choice")


def test_what_succeeds_is_untouched(method: str) -> None:
    assert asyncio.run(outcome(method, b"fine"))[0] == grpc.StatusCode.OK
