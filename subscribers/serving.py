"""The node as a process: it runs until a signal ends it."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import uvloop

from schemas.errors import Code, LiaisonError
from subscribers.node import Node
from subscribers.settings import NodeSettings
from subscribers.tracing import exporting

if TYPE_CHECKING:
    from subscribers.watching.web import Watchers

_SWITCH_SECONDS: Final = 0.0005
_COLLECTIONS: Final = (50_000, 20, 100)
"""As the hub has it (`hub.process`): new objects, young collections and middle ones before the next older."""

Ready = Callable[[str, str | None], None]


def serve(settings: NodeSettings, ready: Ready) -> None:
    """Run the node until SIGTERM or SIGINT; `ready(url, metrics)` is called once its clients can connect:
    where they do, and where it is watched from, if it is. Raises LiaisonError.
    """
    # The store's thread and the event loop take turns at the interpreter: the loop must not wait 5 ms (the
    # default) for its turn while a bulletin is indexed.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        uvloop.run(_serve(settings, ready))
    except* LiaisonError as errors:
        raise _first(errors) from None


async def _serve(settings: NodeSettings, ready: Ready) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        watchers = await _watchers(stack, settings)
        await stack.enter_async_context(exporting(settings.traces_url, settings.traces_ratio, "liaison-node"))
        node, local = await stack.enter_async_context(Node.running(settings))
        _collect_rarely()
        if watchers:
            watchers.open(node.watch)
        ready(local.url, watchers.url if watchers else None)
        await stop.wait()


def _collect_rarely() -> None:
    """Leave what was imported and read at the start out of garbage collection, and look at the rest seldom: a
    bulletin makes some thousand objects, and next to none of them is garbage in a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)


async def _watchers(stack: AsyncExitStack, settings: NodeSettings) -> "Watchers | None":
    """Where the node is watched from, if it is: from before it is ready, so that watchers see it come up."""
    if settings.metrics_port is None:
        return None
    from subscribers.watching.web import Watchers  # noqa: PLC0415 - an HTTP server takes a moment to load

    return await stack.enter_async_context(Watchers(settings.metrics_host, settings.metrics_port))


def _first(errors: BaseExceptionGroup[LiaisonError]) -> LiaisonError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, LiaisonError) else LiaisonError(Code.INTERNAL, type(found).__name__)
