"""A connection to NATS for as long as a command takes: it is not made anew when it is lost."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import nats.errors

from hub import tls
from hub.nats_client import Client
from schemas.errors import Code, OperationError

_CONNECT_SECONDS: Final = 30
_AGAIN: Final = {"max_reconnect_attempts": 4, "reconnect_time_wait": 0.5}
"""For two seconds a server that refuses may be one that is starting; then whoever asks is told."""


@asynccontextmanager
async def dialled(
    urls: Sequence[str],
    context: ssl.SSLContext | None,
    *,
    own: bool,
    **options: Any,  # noqa: ANN401 - as nats-py has them
) -> AsyncIterator[Client]:
    """A connection to one of the servers; `own` when the hub does not run them (`--nats`); `options` say who
    asks, as nats-py takes it. OperationError HUB_UNREACHABLE.
    """
    nc = Client()
    patient = {"allow_reconnect": False, "connect_timeout": _CONNECT_SECONDS, "error_cb": _quiet}
    settled = {**patient, **_AGAIN, **tls.options(urls, context)}
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await nc.connect(list(urls), **settled, **options)
    except (nats.errors.Error, OSError, TimeoutError) as failure:
        with contextlib.suppress(nats.errors.Error, OSError):
            await nc.close()
        raise silent(urls, own=own) from failure
    try:
        yield nc
    finally:
        await nc.close()


def silent(urls: Sequence[str], *, own: bool) -> OperationError:
    """What to say when none of them lets us in, and who is to be seen to."""
    where = ", ".join(urls)
    if not own:
        fix = "see that `liaison-hub serve` runs"
        return OperationError(Code.HUB_UNREACHABLE, f"nothing answers at {where}", fix)
    return OperationError(
        Code.HUB_UNREACHABLE,
        f"the NATS server at {where} does not answer, or does not know this hub's keys",
        "see that it runs there, and that its configuration includes this hub's nats-operator.conf: "
        "`liaison-hub init --nats-config FILE --nats-resolver DIR` writes it",
    )


async def _quiet(_error: Exception) -> None:
    """The request that fails says it."""
