"""The node as a process: it runs until a signal ends it."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from typing import Final

import uvloop

from schemas.errors import Code, LiaisonError
from subscribers.node import Node
from subscribers.settings import NodeSettings

_SWITCH_SECONDS: Final = 0.0005


def serve(settings: NodeSettings, ready: Callable[[str], None]) -> None:
    """Run the node until SIGTERM or SIGINT; `ready(url)` is called once its clients can connect. Raises
    LiaisonError.
    """
    # The store's thread and the event loop take turns at the interpreter: the loop must not wait 5 ms (the
    # default) for its turn while a bulletin is indexed.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        uvloop.run(_serve(settings, ready))
    except* LiaisonError as errors:
        raise _first(errors) from None


async def _serve(settings: NodeSettings, ready: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Node.running(settings) as (_, local):
        # What was imported and read at the start stays: the collector need not look through it each time.
        gc.collect()
        gc.freeze()
        ready(local.url)
        await stop.wait()


def _first(errors: BaseExceptionGroup[LiaisonError]) -> LiaisonError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, LiaisonError) else LiaisonError(Code.INTERNAL, type(found).__name__)
