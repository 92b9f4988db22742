"""OpenTelemetry traces: a span for each call and one inside it for each stage; no pictures.

Spans are made when a call has ended, of what was noted meanwhile, so they cost it nothing. Names
follow OpenTelemetry's conventions for RPC.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import grpc

from serving.errors import InvalidConfig
from serving.rpc.call import Call

if TYPE_CHECKING:  # The package may be missing.
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_SERVICE = "/upscaler."
_STAGES = ("queue", "decode", "upscale", "resize", "encode")
_FLUSH_S = 2.0
# Codes by which a server says that it is to blame.
_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}


class Traces:
    """Makes spans of the calls of the service itself.

    A call whose metadata carry a context (W3C ``traceparent``) belongs to that trace.

    Args:
        provider: where spans go.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("serving")

    def record_call(self, call: Call) -> None:
        """Makes the spans of a call that has ended."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        if not call.method.startswith(_SERVICE):
            return
        now = time.time_ns()
        to_time = now - time.perf_counter_ns()
        # Some time passed since the call's was taken, and its stages are not to begin before it.
        begun = now - round(call.seconds * 1e9)
        if call.stages and call.stages.events:
            begun = min(begun, to_time + min(event.start for event in call.stages.events))
        service, _, method = call.method.removeprefix("/").partition("/")
        span = self._tracer.start_span(
            f"{service}/{method}",
            extract({key: text for key, text in call.metadata.items() if isinstance(text, str)}),
            SpanKind.SERVER,
            start_time=begun,
            attributes={
                "rpc.system": "grpc",
                "rpc.service": service,
                "rpc.method": method,
                "rpc.grpc.status_code": call.code.value[0],
                "upscaler.request_id": call.request_id,
                "upscaler.client": call.client,
                **{f"upscaler.{name}": str(value) for name, value in call.notes.items()},
            },
        )
        self._record_stages(call, span, to_time)
        self._record_failure(call, span)
        span.end(now)

    def _record_stages(self, call: Call, span: Span, to_time: int) -> None:
        from opentelemetry.trace import set_span_in_context

        if call.stages is None:
            return
        for stage in _STAGES:
            events = [event for event in call.stages.events if event.stage == stage]
            if not events:
                continue
            inner = self._tracer.start_span(
                stage,
                set_span_in_context(span),
                start_time=to_time + min(event.start for event in events),
                # From its beginning to its end others have their turns; this is its own time.
                attributes={"upscaler.busy_seconds": call.stages.total(stage) / 1e9},
            )
            inner.end(to_time + max(event.stop for event in events))

    def _record_failure(self, call: Call, span: Span) -> None:
        from opentelemetry.trace import StatusCode

        if call.reason:
            span.set_attribute("error.type", call.reason)
        if call.code in _FAULTS:
            span.set_status(StatusCode.ERROR)

    async def flush(self) -> None:
        """Sends what waits, for as long as a moment; what cannot be sent by then is lost."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_S):
                await asyncio.to_thread(self._provider.force_flush)


def exporting() -> TracerProvider:
    """A provider that sends spans by OTLP, as the variables of OpenTelemetry say.

    Raises:
        InvalidConfig: the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise InvalidConfig("traces", "on", "an installation with the extra otel") from error
    named = Resource.create({"service.name": "upscaler"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
