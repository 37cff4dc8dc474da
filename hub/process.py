"""`liaison-hub serve` as a process: event loop, signals, the ready line, logs."""

import asyncio
import gc
import json
import os
import signal
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog
import typer
import uvloop

from hub import log
from hub.serve import running
from hub.settings import HubSettings
from hub.state import digest

_log = structlog.get_logger(__name__)

_COLLECTIONS: Final = (50_000, 20, 100)
"""New objects, young collections and middle ones after which the next older are looked at."""


def run(settings: HubSettings, public_urls: Sequence[str], *, as_json: bool) -> None:
    """Serve until SIGTERM or SIGINT. Raises OperationError when the hub cannot begin."""
    log.configure(settings.log, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, public_urls, as_json=as_json))


async def _serve(settings: HubSettings, public_urls: Sequence[str], *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, public_urls=public_urls) as hub:
        name = hub.office.directory.hub.name if hub.office.directory.hub else ""
        fingerprint = digest(hub.office.root)
        ready = {
            "event": "ready",
            "nats": hub.url,
            "port": urlsplit(hub.url.split(",")[0]).port,
            "websocket": hub.server.websocket_url if hub.server else None,
            "metrics": hub.metrics,
            "pid": os.getpid(),
            "hub": name,
            "fingerprint": fingerprint,
        }
        typer.echo(json.dumps(ready) if as_json else f"ready {hub.url} root {fingerprint}")
        _collect_rarely()
        await stop.wait()
        _log.info("stopping")


def _collect_rarely() -> None:
    """Leave what is there now out of garbage collection, and look at the rest seldom: under load each batch
    makes as many objects as set off a collection of all, and none of them is garbage in a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
