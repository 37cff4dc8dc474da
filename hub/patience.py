"""Waiting for a NATS server that is there and does not answer yet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hub.jetstream import JetStreamRefused
from hub.office import TROUBLE
from schemas.errors import Code, OperationError

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS: Final = 0.25
_JOIN_SECONDS: Final = 5.0
"""So long after servers have found together another one may join them that has the tags asked for."""


async def patiently(
    step: Callable[[], Awaitable[None]], seconds: float = 60.0, joining: float = _JOIN_SECONDS
) -> None:
    """Take a step, and take it again for as long as NATS does not answer: a server that has only just
    started, on a busy disk, reads its store first. The step must bear being taken twice.

    Raises what it raises for other reasons (that servers with a placement's tags are missing: when that has
    been so for `joining` seconds), and OperationError `hub_unreachable` after `seconds` of silence.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    joined: float | None = None
    while True:
        try:
            return await step()
        except TROUBLE as trouble:
            if isinstance(trouble, JetStreamRefused) and trouble.unplaced:
                joined = joined or loop.time() + joining
                if loop.time() >= joined:
                    raise
            elif isinstance(trouble, OperationError) and trouble.code != Code.HUB_UNREACHABLE:
                raise
            reason = str(trouble) or type(trouble).__name__
            if loop.time() >= until:
                raise OperationError(
                    Code.HUB_UNREACHABLE,
                    f"NATS does not answer: {reason}",
                    "see the NATS server's log; a slow disk is the usual reason",
                ) from trouble
            _log.warning("nats does not answer yet", reason=reason)
        await asyncio.sleep(_PAUSE_SECONDS)
