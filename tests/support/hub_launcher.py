"""A hub process that stops and says so at one moment, so that a test can kill it there. Not for any other
use.

Usage: python -m tests.support.hub_launcher STATE NATS STEP COUNT: NATS is the URL of a server, or the port of
an embedded one; at the COUNTth time that STEP is reached it prints `stopped STEP` and goes no further.
"""

import asyncio
import sys
from pathlib import Path

from hub.router import Step
from hub.serve import running
from hub.settings import HubSettings


async def _main(state: str, url: str, wanted: str, count: str) -> None:
    left = int(count)

    async def hook(step: Step) -> None:
        nonlocal left
        left -= step == wanted
        if left == 0 and step == wanted:
            print(f"stopped {step}", flush=True)
            await asyncio.Event().wait()

    where = (
        HubSettings(state=Path(state), port=int(url))
        if url.isdigit()
        else HubSettings(state=Path(state), nats=url)
    )
    async with running(where, hook=hook):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
