"""The one place that all calls of all four kinds go through."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from serving.errors import InvalidRequest, ServingError, TimeLimitExceeded
from serving.rpc.call import REQUEST_ID_KEY, Call, current_call
from serving.rpc.status import DETAILS_KEY, internal_status, reason_of, status_of

Deserialize = Callable[[bytes], Any]
# What happens around a call.
Guard = Callable[[Call], AbstractAsyncContextManager[None]]
# Told of each call when it has ended.
Observer = Callable[[Call], None]

_FACTORIES: dict[str, Callable[..., Any]] = {
    "unary_unary": grpc.unary_unary_rpc_method_handler,
    "unary_stream": grpc.unary_stream_rpc_method_handler,
    "stream_unary": grpc.stream_unary_rpc_method_handler,
    "stream_stream": grpc.stream_stream_rpc_method_handler,
}

_CODES = {code.value[0]: code for code in grpc.StatusCode}

_log = logging.getLogger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Puts guards around each call, and turns what handlers and guards raise into a status.

    Errors of :mod:`serving.errors` keep their sentence, and messages that cannot be read are one of
    them. Anything else is a fault of ours: it is logged under the call's id, and the caller gets
    INTERNAL with that id and no detail.

    Args:
        guards: entered in this order; each may raise to refuse the call.
        observers: told of each call when it has ended, however that was.
        max_idle_s: seconds that a message of a stream may be waited for, or may wait to be taken.
    """

    def __init__(
        self,
        guards: Sequence[Guard] = (),
        observers: Sequence[Observer] = (),
        max_idle_s: float | None = None,
    ) -> None:
        self._guards = guards
        self._observers = observers
        self._max_idle_s = max_idle_s

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the handler of one call; an unknown method has none and stays so."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        kind = "_".join(
            "stream" if streaming else "unary"
            for streaming in (handler.request_streaming, handler.response_streaming)
        )
        behaviour = getattr(handler, kind)
        read = handler.request_deserializer
        method = handler_call_details.method

        async def answer(request: Any, context: Any) -> Any:
            call = Call.of(context, method)
            current_call.set(call)
            async with self._observed(call, context), AsyncExitStack() as stack:
                for guard in self._guards:
                    await stack.enter_async_context(guard(call))
                if handler.request_streaming:
                    answered = behaviour(self._read_each(request, read), context)
                else:
                    answered = behaviour(_read(request, read), context)
                if not isinstance(answered, AsyncGenerator):
                    return await answered
                return await self._write_each(answered, context)
            return None  # It failed: the context has its status.

        return _FACTORIES[kind](answer, response_serializer=handler.response_serializer)

    @asynccontextmanager
    async def _observed(self, call: Call, context: Any) -> AsyncIterator[None]:
        context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))
        try:
            with _errors_become_status(call, context):
                yield
        except asyncio.CancelledError:
            if call.code is grpc.StatusCode.OK:  # else its refusal is on the way
                call.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            for observe in self._observers:
                observe(call)

    async def _read_each(
        self, requests: AsyncIterator[bytes], read: Deserialize | None
    ) -> AsyncIterator[Any]:
        while True:
            with _idle_is_refused("request", self._max_idle_s):
                async with asyncio.timeout(self._max_idle_s):
                    try:
                        request = await anext(requests)
                    except StopAsyncIteration:
                        return
            yield _read(request, read)

    async def _write_each(self, responses: AsyncGenerator[Any, None], context: Any) -> None:
        # Written, not yielded: else the generator would not learn of a cancellation meanwhile.
        async with aclosing(responses):
            async for response in responses:
                with _idle_is_refused("response", self._max_idle_s):
                    async with asyncio.timeout(self._max_idle_s):
                        await context.write(response)


def _read(request: bytes, read: Deserialize | None) -> Any:
    try:
        return read(request) if read else request
    except DecodeError as error:
        raise InvalidRequest("request", "no message of this call", "one") from error


@contextmanager
def _idle_is_refused(field: str, max_idle_s: float | None) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise TimeLimitExceeded(
            field, f"idle for {max_idle_s:g} s", "a client that goes on sooner"
        ) from error


@contextmanager
def _errors_become_status(call: Call, context: Any) -> Iterator[None]:
    # Not by context.abort, whose exception gRPC keeps in a cycle: with it all that the frames hold
    # that it came through, the picture, would stay until the garbage is next collected.
    try:
        yield
    except grpc.aio.AbortError:
        call.code = context.code()
        raise
    except Exception as error:
        status = status_of(error) if isinstance(error, ServingError) else None
        if status is None:
            _log.exception("request %s to %s failed", call.request_id, call.method)
            status = internal_status(call.request_id)
        call.code, call.reason = _CODES[status.code], reason_of(error)
        context.set_code(call.code)
        context.set_details(status.message)
        context.set_trailing_metadata(
            (
                (DETAILS_KEY, status.SerializeToString()),
                (REQUEST_ID_KEY, call.request_id),
            )
        )
