"""The one place where errors become gRPC status codes, for all four kinds of call."""

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import grpc

from serving.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidOption,
    ResultTooLarge,
    ServerBusy,
    ServingError,
    UnknownModel,
)

_CODES: dict[type[ServingError], grpc.StatusCode] = {
    InvalidImage: grpc.StatusCode.INVALID_ARGUMENT,
    ImageTooLarge: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidOption: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownModel: grpc.StatusCode.NOT_FOUND,
    ResultTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ServerBusy: grpc.StatusCode.RESOURCE_EXHAUSTED,
}

# (request is a stream, response is a stream) to the handler's attribute and its factory.
_KINDS: dict[tuple[bool, bool], tuple[str, Callable[..., Any]]] = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}

_log = logging.getLogger(__name__)


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Ends a call with a code and a sentence where its handler raised.

    Errors of :mod:`serving.errors` keep their sentence. Anything else is a fault of ours: it is
    logged under an id, and the caller gets INTERNAL with that id and no detail.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the handler of one call; an unknown method has none and stays so."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        kind, factory = _KINDS[handler.request_streaming, handler.response_streaming]
        return factory(
            _guarded(getattr(handler, kind), handler_call_details.method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _guarded(behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
    async def answer(request: Any, context: Any) -> Any:
        async with _errors_abort(context, method):
            return await behaviour(request, context)

    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
        async with _errors_abort(context, method):
            async for response in behaviour(request, context):
                yield response

    # A handler may also stream by writing to its context; then it is a coroutine like any other.
    return stream if inspect.isasyncgenfunction(behaviour) else answer


@asynccontextmanager
async def _errors_abort(context: Any, method: str) -> AsyncIterator[None]:
    try:
        yield
    except grpc.aio.AbortError:
        raise
    except Exception as error:
        code = _CODES.get(type(error)) if isinstance(error, ServingError) else None
        if code is not None:
            await context.abort(code, str(error))
        request_id = uuid4().hex
        _log.exception("request %s to %s failed", request_id, method)
        await context.abort(
            grpc.StatusCode.INTERNAL, f"the server failed; its log has request {request_id}"
        )
