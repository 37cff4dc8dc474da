"""The office's desk, for the other hubs of a cluster: what an endpoint of theirs hands in for the directory.

Requests on `desk.<what>.<PK>` in the HUB account, which exports none of it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.errors import Code, FormatError, LiaisonError, OperationError, TrustError

_log = structlog.get_logger(__name__)

NEWS: Final = "news"
"""Told without content, and not kept, after something has been put into DIRECTORY."""
_DESK: Final = "desk"
_SECONDS: Final = 10.0

Take = Callable[[str, bytes], Awaitable[None]]


async def ask_office(nc: Client, what: str, publisher: str, data: bytes) -> None:
    """Hand in what `publisher` submitted. TrustError with the code of the refusal; OperationError
    `hub_unreachable` when nobody keeps the office just now.
    """
    try:
        answer = (await nc.request(f"{_DESK}.{what}.{publisher}", data, timeout=_SECONDS)).data
    except (nats.errors.Error, TimeoutError) as lost:
        raise OperationError(
            Code.HUB_UNREACHABLE, "no hub of the cluster keeps the office", "it is tried again"
        ) from lost
    said = json.loads(answer)
    if said["code"] == Code.HUB_UNREACHABLE:
        raise OperationError(Code.HUB_UNREACHABLE, said["message"], said["fix"])
    if said["code"]:
        raise TrustError(Code(said["code"]), said["message"], said["fix"])


@asynccontextmanager
async def open_desk(nc: Client, takes: Mapping[str, Take]) -> AsyncIterator[None]:
    """Answer `ask_office` while the block is entered: `takes` has a callable for each `what`, which is given
    the publisher and the data, and raises the refusal.
    """

    async def asked(message: Msg) -> None:
        _, what, publisher = message.subject.split(".")
        try:
            await takes[what](publisher, message.data)
            said = {"code": "", "message": "", "fix": ""}
        except (FormatError, TrustError) as refusal:
            said = refusal.as_dict()
        except (LiaisonError, nats.errors.Error, TimeoutError, ConnectionError) as trouble:
            _log.warning("desk in trouble", reason=str(trouble) or type(trouble).__name__)
            said = {"code": Code.HUB_UNREACHABLE, "message": "the office is in trouble", "fix": "try again"}
        await message.respond(json.dumps(said).encode())

    subscription = await nc.subscribe(f"{_DESK}.*.*", cb=asked)
    try:
        yield
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()
