"""The one place that all calls of all four kinds go through."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

import grpc

from serving.errors import InvalidImage, InvalidRequest, ServingError, UnknownMethod
from serving.rpc.call import REQUEST_ID_KEY, Call, current_call
from serving.rpc.exchange import Exchange
from serving.rpc.status import DETAILS_KEY, internal_status, reason_of, status_of

# What happens around a call.
Guard = Callable[[Call], AbstractAsyncContextManager[None]]
# Told of each call when it has ended.
Observer = Callable[[Call], None]

# That a client is gone is known so much later than that it neither sends nor takes any more.
_GONE_S = 0.01
_MAY_BE_BROKEN_OFF = (InvalidImage, InvalidRequest, grpc.aio.InternalError)
_ROUNDING, _CLOCKS_S = 0.01, 0.05
_CODES = {code.value[0]: code for code in grpc.StatusCode}

_log = logging.getLogger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Puts guards around each call, and turns what handlers and guards raise into a status.

    Errors of :mod:`serving.errors` keep their sentence, and messages that cannot be read are one of
    them. Anything else is a fault of ours: it is logged under the call's id, and the caller gets
    INTERNAL with that id and no detail.

    To gRPC all calls are streams: of another it would read the message before a guard is asked.

    Args:
        guards: entered in this order; each may raise to refuse the call.
        observers: told of each call when it has ended, however that was.
        exchange: bounds messages, and how long they are waited for.
    """

    def __init__(
        self,
        guards: Sequence[Guard] = (),
        observers: Sequence[Observer] = (),
        exchange: Exchange | None = None,
    ) -> None:
        self._guards = guards
        self._observers = observers
        self._exchange = exchange or Exchange()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the handler of one call; an unknown method gets one that refuses."""
        handler = await continuation(handler_call_details) or _UNKNOWN
        behaviour = _behaviour(handler)
        read = handler.request_deserializer
        method = handler_call_details.method

        async def answer(requests: AsyncIterator[bytes], context: Any) -> None:
            call = Call.of(context, method)
            current_call.set(call)
            async with self._observed(call, context), AsyncExitStack() as stack:
                for guard in self._guards:
                    await stack.enter_async_context(guard(call))
                if handler.request_streaming:
                    answered = behaviour(self._exchange.read_each(requests, read), context)
                else:
                    answered = behaviour(await self._exchange.read_one(requests, read), context)
                if isinstance(answered, AsyncGenerator):
                    await self._exchange.write_each(answered, context)
                elif (response := await answered) is not None:
                    await context.write(response)

        return grpc.stream_stream_rpc_method_handler(
            answer, response_serializer=handler.response_serializer
        )

    @asynccontextmanager
    async def _observed(self, call: Call, context: Any) -> AsyncIterator[None]:
        context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))
        try:
            with _errors_become_status(call, context):
                try:
                    yield
                except _MAY_BE_BROKEN_OFF:
                    await asyncio.sleep(_GONE_S)  # Is it broken, or broken off?
                    raise
        except asyncio.CancelledError:
            if call.code is grpc.StatusCode.OK:  # else its refusal is on the way
                late = _deadline_is_over(call, context)
                call.code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
            raise
        finally:
            for observe in self._observers:
                observe(call)


def _deadline_is_over(call: Call, context: Any) -> bool:
    """Whether a call was given up for its deadline, and not before.

    Its client looks at a clock of its own, and timeouts are rounded up to 1 % when they are sent,
    so that its word may come before the time is over here.
    """
    left: float | None = context.time_remaining()
    return left is not None and left <= _CLOCKS_S + _ROUNDING * (left + call.seconds)


async def _refuse(requests: AsyncIterator[bytes], context: Any) -> None:  # noqa: ARG001
    raise UnknownMethod("method", current_call.get().method, "a call of the service's proto file")


_UNKNOWN = grpc.stream_unary_rpc_method_handler(_refuse)


def _behaviour(handler: Any) -> Callable[..., Any]:
    kind = "_".join(
        "stream" if streaming else "unary"
        for streaming in (handler.request_streaming, handler.response_streaming)
    )
    behaviour: Callable[..., Any] = getattr(handler, kind)
    return behaviour


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
