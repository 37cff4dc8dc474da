"""A hub as a process for tests: `python -m tests.support.hub_serving STATE NATS [GATES]`, the rest by its
settings. GATES is the directory of its gates (`tests.support.gated`), if it shall have some.
"""

import asyncio
import sys
from pathlib import Path

import uvloop

from hub import log
from hub.serve import running
from hub.settings import HubSettings
from tests.support.gated import put_gates


async def _main(state: str, nats: str, gates: str = "") -> None:
    if gates:
        put_gates(Path(gates), "hub")
    settings = HubSettings(state=Path(state), nats=nats)
    log.configure(settings.log, settings.log_level)
    async with running(settings):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_main(*sys.argv[1:]))
