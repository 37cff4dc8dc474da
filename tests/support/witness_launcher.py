"""A witness process that ends by SIGKILL between binding itself to a head on its disk and signing it.

Usage: python -m tests.support.witness_launcher STATE COUNT: at the COUNTth head. Like `liaison-witness run
--json` it prints one line when it is ready.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from schemas.checkpoint import Checkpoint
from subscribers.clock import now_ms
from subscribers.witness.service import Offered, Witness


async def _main(state: str, count: str) -> None:
    left = int(count)
    async with Witness.open(Path(state), now_ms) as witness:
        bind = witness.bind

        async def bound(offered: Offered) -> tuple[Checkpoint, int]:
            nonlocal left
            result = await bind(offered)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        witness.bind = bound  # type: ignore[method-assign] # a test's launcher, and the only one who does
        print(json.dumps({"event": "ready", "witness": witness.name}), flush=True)
        await witness.run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
