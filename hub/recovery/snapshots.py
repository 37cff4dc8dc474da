"""A stream with its durables as bytes, and back: JetStream's own snapshot (its API, since nats-py has no call
for it).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.jetstream import api, refusal_of
from schemas.errors import Code, OperationError

_CHUNK: Final = 128 * 1024
_SILENCE: Final = 60.0
"""Seconds without a chunk after which the server is gone."""
_SPREADS: Final = 10.0
"""Seconds in which all servers of a cluster know who listens to what."""
_AGAIN: Final = 0.05
_ENDED: Final = ("", "204")


class Snapshot(NamedTuple):
    """What the server says of a stream as its snapshot begins; `restored` needs it."""

    config: dict[str, Any]
    state: dict[str, Any]

    @property
    def last(self) -> int:
        """The sequence of its last message."""
        return int(self.state["last_seq"])


async def snapshot(
    nc: Client, stream: str, take: Callable[[Snapshot, AsyncIterator[bytes]], Awaitable[None]]
) -> None:
    """Give `take` what `stream` is, and its bytes piece by piece, as of one moment; others go on writing.

    `nc` is a connection of the HUB account. Raises `JetStreamRefused`, or OperationError HUB_UNREACHABLE when
    the server goes away in the middle.
    """
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = nc.new_inbox()
    subscription = await nc.subscribe(inbox, cb=arrived.put)
    try:
        asked = {"deliver_subject": inbox, "no_consumers": False, "chunk_size": _CHUNK, "jsck": False}
        said = await api(nc, f"STREAM.SNAPSHOT.{stream}", asked)
        await take(Snapshot(said["config"], said["state"]), _pieces(stream, arrived))
    finally:
        await subscription.unsubscribe()


async def restored(nc: Client, stream: str, what: Snapshot, pieces: Iterable[bytes]) -> int:
    """Make `stream` of a snapshot, its durables with it; its last sequence. It must not be there.

    Raises `JetStreamRefused`, or OperationError HUB_UNREACHABLE.
    """
    begun = await api(nc, f"STREAM.RESTORE.{stream}", {"config": what.config, "state": what.state})
    subject = str(begun["deliver_subject"])
    for piece in pieces:
        for start in range(0, len(piece), _CHUNK):
            await _sent(nc, stream, subject, piece[start : start + _CHUNK])
    answer = await _sent(nc, stream, subject, b"")
    return int(answer["state"]["last_seq"])


async def _pieces(stream: str, arrived: "asyncio.Queue[Msg]") -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(_SILENCE):
                message = await arrived.get()
        except TimeoutError:
            raise _gone(stream) from None
        if not message.data:
            status = (message.headers or {}).get("Status", "")
            if status not in _ENDED:
                raise _gone(stream)
            return
        yield message.data
        if message.reply:
            await message.respond(b"")  # the server sends no more than so much ahead


async def _sent(nc: Client, stream: str, subject: str, data: bytes) -> dict[str, Any]:
    try:
        answer = await _answered(nc, subject, data)
    except nats.errors.Error:
        raise _gone(stream) from None
    said: dict[str, Any] = json.loads(answer.data) if answer.data else {}
    if error := said.get("error"):
        raise refusal_of(f"STREAM.RESTORE.{stream}", error)
    return said


async def _answered(nc: Client, subject: str, data: bytes) -> Msg:
    until = asyncio.get_running_loop().time() + _SPREADS
    while True:
        try:
            return await nc.request(subject, data, timeout=_SILENCE)
        except nats.errors.NoRespondersError:
            # The server that takes the stream may not have told ours yet that it listens; nobody got it.
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(_AGAIN)


def _gone(stream: str) -> OperationError:
    return OperationError(
        Code.HUB_UNREACHABLE,
        f"the NATS server stopped in the middle of {stream}",
        "see that it runs and has room, then begin again",
    )
