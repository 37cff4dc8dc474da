"""Sends spans to a collector by OTLP over HTTP. The only module of the hub that knows OpenTelemetry; it is
loaded where traces are switched on (`hub.tracing`), and nowhere else. The agencies have the same
(`subscribers.collector`).

Nobody waits for a collector: spans lie in a bounded queue, whose oldest go when it is full, and are sent by a
thread of their own. What a collector does not take in time is dropped.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from threading import Thread
from typing import Final

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from schemas.traces import Span

_log = structlog.get_logger(__name__)

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_QUEUE: Final = 4096
_AT_ONCE: Final = 512
_EVERY_MS: Final = 2_000
_EXPORT_SECONDS: Final = 10.0
"""A request to the collector, with what is tried again."""
_PLACE_SIZE: Final = 8


class Collector:
    """Where the spans of this process go, called `service`. `place` tells them from those of others."""

    def __init__(self, url: str, service: str) -> None:
        # It complains at length, and with the address: `Sending` says what there is to say.
        library = logging.getLogger("opentelemetry")
        library.propagate = False
        library.addHandler(logging.NullHandler())
        self.place = secrets.token_bytes(_PLACE_SIZE)
        self._ids = _Given()
        self._sending = Sending(OTLPSpanExporter(endpoint=url, timeout=_EXPORT_SECONDS))
        resource = Resource({"service.name": service, "service.instance.id": self.place.hex()})
        self._provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self._ids)
        self._provider.add_span_processor(BatchSpanProcessor(self._sending, _QUEUE, _EVERY_MS, _AT_ONCE))
        self._tracer = self._provider.get_tracer("liaison")

    def take(self, span: Span) -> None:
        """Into the queue, from the event loop's thread."""
        self._ids.trace, self._ids.span = span.trace, span.span
        within = Context()
        if span.parent:
            parent = SpanContext(span.trace, span.parent, is_remote=True, trace_flags=_SAMPLED)
            within = set_span_in_context(NonRecordingSpan(parent), within)
        made = self._tracer.start_span(span.stage, within, attributes=dict(span.facts), start_time=span.start)
        made.end(span.end)

    async def close(self, seconds: float) -> None:
        """Send what is left, for at most so long."""
        ending = Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, seconds)
        self._sending.shutdown()


class _Given(IdGenerator):
    """Gives the ids that were derived."""

    trace = span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class Sending(SpanExporter):
    """Says once that the collector takes nothing, and once that it does again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._well = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As the exporter does it."""
        result = self._exporter.export(spans)
        well = result is SpanExportResult.SUCCESS
        if well is not self._well:
            self._well = well
            if well:
                _log.info("traces are taken again")
            else:
                _log.warning("traces are not taken", dropped=len(spans))
        return result

    def shutdown(self) -> None:
        """Nothing more is tried."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As the exporter does it."""
        return self._exporter.force_flush(timeout_millis)
