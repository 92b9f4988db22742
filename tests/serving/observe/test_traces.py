import sys

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from protos.upscaler.v1 import upscaler_pb2, upscaler_pb2_grpc
from serving.config import ServerConfig
from serving.embedded import embedded_server
from serving.errors import InvalidConfig
from serving.observe.traces import Traces, exporting
from serving.rpc.call import Call
from tests.serving.files import checker, write_png

TRACE, PARENT = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
CONTEXT = (("traceparent", f"00-{TRACE:032x}-{PARENT:016x}-01"),)
METHOD = "/upscaler.v1.UpscalerService/Upscale"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def spans_of(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_call_is_a_span_of_its_callers_trace_and_its_stages_are_inside(
    config: ServerConfig,
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.rpc.server.exporting", lambda: provider)
    traced = ServerConfig(port=0, models=config.models, default_model="nearest", traces=True)
    with embedded_server(traced) as address, grpc.insecure_channel(address) as channel:
        upscale = upscaler_pb2_grpc.UpscalerServiceStub(channel).Upscale
        upscale(upscaler_pb2.UpscaleRequest(image=write_png(checker(3))), metadata=CONTEXT)
    spans = spans_of(exporter)
    call = spans.pop("upscaler.v1.UpscalerService/Upscale")
    assert call.context
    assert call.parent
    assert call.attributes
    assert (call.context.trace_id, call.parent.span_id) == (TRACE, PARENT)
    assert call.kind == SpanKind.SERVER
    assert call.attributes["rpc.grpc.status_code"] == 0
    assert call.attributes["upscaler.model"] == "nearest"
    assert spans.keys() == {"queue", "decode", "upscale", "encode"}
    for stage in spans.values():
        assert stage.parent
        assert stage.parent.span_id == call.context.span_id
        times = [call.start_time, stage.start_time, stage.end_time, call.end_time]
        assert times == sorted(time or 0 for time in times)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.INTERNAL, StatusCode.ERROR),
        (grpc.StatusCode.INVALID_ARGUMENT, StatusCode.UNSET),
    ],
)
def test_only_the_servers_own_faults_are_errors(
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
    code: grpc.StatusCode,
    status: StatusCode,
) -> None:
    call = Call(METHOD, {"key-bin": b"\xff"}, "address", "id", "client", code=code, reason="WHY")
    Traces(provider).record_call(call)
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code == status
    assert span.attributes
    assert span.attributes["error.type"] == "WHY"


def test_questions_for_health_are_no_calls_to_trace(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    Traces(provider).record_call(Call("/grpc.health.v1.Health/Check", {}, "", "", ""))
    assert not exporter.get_finished_spans()


def test_without_the_extra_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InvalidConfig, match="traces is on; expected an installation with"):
        exporting()
