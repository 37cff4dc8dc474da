"""A collector of traces as it is in life: OTLP over HTTP, decoded by the protocol's own classes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Told:
    """One span as it came: `who` is its service, ids are in hex, times Unix nanoseconds."""

    who: str
    name: str
    trace: str
    span: str
    parent: str
    start: int
    end: int
    facts: dict[str, Any]


@dataclass
class Collected:
    """What has come so far. `status` is what is answered, once `answering` is set."""

    url: str
    status: int = 200
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    spans: list[Told] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def traces(self) -> dict[str, list[Told]]:
        """By trace."""
        found: dict[str, list[Told]] = {}
        for each in self.spans:
            found.setdefault(each.trace, []).append(each)
        return found


@asynccontextmanager
async def collecting() -> AsyncIterator[Collected]:
    """Listen on a free port of loopback."""

    async def take(request: web.Request) -> web.Response:
        collected.raw.append(await request.read())
        collected.spans += read(collected.raw[-1])
        await collected.answering.wait()
        return web.Response(status=collected.status, content_type="application/x-protobuf")

    app = web.Application()
    app.add_routes([web.post("/v1/traces", take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collected = Collected(f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces")
        collected.answering.set()
        yield collected
    finally:
        await runner.cleanup()


def read(data: bytes) -> list[Told]:
    """The spans of one request."""
    return [
        Told(
            _facts(of.resource.attributes)["service.name"],
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            _facts(span.attributes),
        )
        for of in ExportTraceServiceRequest.FromString(data).resource_spans
        for scope in of.scope_spans
        for span in scope.spans
    ]


def _facts(attributes: Any) -> dict[str, Any]:  # the generated classes have no types
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
