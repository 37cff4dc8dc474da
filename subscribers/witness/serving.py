"""The witness as a process: it runs until a signal ends it, or its own disk fails."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from schemas.errors import Code, LiaisonError, OperationError
from subscribers.clock import now_ms
from subscribers.witness.service import Witness


def serve(state: Path, ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; `ready(name)` is called when everything was read back. LiaisonError."""
    try:
        asyncio.run(_serve(state, ready))
    except* LiaisonError as errors:
        found: BaseException = errors
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        code = found.code if isinstance(found, LiaisonError) else Code.INTERNAL
        raise OperationError(code, getattr(found, "message", ""), getattr(found, "fix", "")) from None


async def _serve(state: Path, ready: Callable[[str], None]) -> None:
    async with Witness.open(state, now_ms) as witness:
        task = asyncio.create_task(witness.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        ready(witness.name)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
