"""Atomic batch publishing into a stream: all of it, in order, with one write to the disk, or nothing (NATS
ADR-50).

Under `sync_interval: always` this is what makes the traffic stream fast: one fsync a batch instead of one a
message.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import nats.errors
from nats.aio.client import Client

from hub.jetstream import AWAY
from hub.nats_client import publish_all
from schemas.errors import Code, OperationError

MAX_BATCH: Final = 1000
"""The server's own limit."""
ONE_BY_ONE_MAX: Final = 4
"""Up to here messages alone are faster than a batch."""
_DUPLICATE: Final = 10201
_NO_STREAM: Final = "no stream takes what was published just now"


_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Outgoing(NamedTuple):
    """One message to publish. `headers` may hold `Nats-Msg-Id` and `Nats-TTL`."""

    subject: str
    payload: bytes
    headers: Mapping[str, str] = _NONE


class BatchRefused(OperationError):
    """The server said no. The first `stored` messages are in the stream, the others are not (an atomic batch:
    none is).

    `duplicate`: a message id is already in the stream's window, or twice in the batch. `away`: no server
    keeps the stream just now, as while a cluster elects its leader.
    """

    def __init__(self, message: str, *, duplicate: bool = False, away: bool = False, stored: int = 0) -> None:
        fix = "leave out what is already there" if duplicate else "see the NATS server's log"
        code, fix = (Code.HUB_UNREACHABLE, "try again") if away else (Code.INTERNAL, fix)
        super().__init__(code, message, fix)
        self.duplicate = duplicate
        self.away = away
        self.stored = stored


class BatchUncertain(OperationError):
    """No answer came: beyond the first `stored` messages nobody knows. Read the stream before publishing
    on.
    """

    def __init__(self, *, stored: int = 0) -> None:
        fix = "it is read again when the server is back"
        super().__init__(Code.HUB_UNREACHABLE, "the NATS server did not confirm what was published", fix)
        self.stored = stored


async def publish_ordered(
    nc: Client, messages: Sequence[Outgoing], *, batch_id: str, timeout: float = 10.0
) -> list[int]:
    """Publish into one stream, in order, stopping at the first error; the stream sequence of each message.

    Give every message a `Nats-Msg-Id`: one that is already in the stream is then left as it is, and its
    sequence given. `batch_id` as for `publish_batch`. Raises `BatchRefused` or `BatchUncertain`, whose
    `stored` says how far it came.
    """
    done: list[int] = []
    for start in range(0, len(messages), MAX_BATCH):
        part = messages[start : start + MAX_BATCH]
        if len(part) > ONE_BY_ONE_MAX:
            try:
                first = await publish_batch(nc, part, batch_id=f"{batch_id}.{start}", timeout=timeout)
            except BatchRefused as refused:
                if not refused.duplicate:
                    raise BatchRefused(refused.message, away=refused.away, stored=len(done)) from refused
            except BatchUncertain as uncertain:
                raise BatchUncertain(stored=len(done)) from uncertain
            else:
                done += range(first, first + len(part))
                continue
        for message in part:
            done.append(await _publish_one(nc, message, timeout, len(done)))
    return done


async def _publish_one(nc: Client, message: Outgoing, timeout: float, stored: int) -> int:
    try:
        answer = await _ask(nc, message, dict(message.headers), timeout)
    except nats.errors.NoRespondersError as absent:
        raise BatchRefused(_NO_STREAM, away=True, stored=stored) from absent
    except (nats.errors.Error, TimeoutError) as lost:
        raise BatchUncertain(stored=stored) from lost
    if error := answer.get("error"):
        raise BatchRefused(str(error.get("description")), away=_is_away(error), stored=stored)
    return int(answer["seq"])


async def publish_batch(
    nc: Client, messages: Sequence[Outgoing], *, batch_id: str, timeout: float = 10.0
) -> int:
    """Publish 1 to `MAX_BATCH` messages of one stream; the sequence of the first, the others follow without a
    gap.

    `batch_id` is at most 64 characters and not in use by another batch under way. Raises `BatchRefused`,
    `BatchUncertain` (no answer within `timeout` seconds), or `ValueError` for a number of messages that no
    batch can have.
    """
    if not 0 < len(messages) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} messages, not {len(messages)}")
    try:
        before = enumerate(messages[:-1], 1)
        await publish_all(
            nc, ((each.subject, each.payload, _headers(each, batch_id, n)) for n, each in before)
        )
        last = messages[-1]
        headers = _headers(last, batch_id, len(messages)) | {"Nats-Batch-Commit": "1"}
        answer = json.loads(
            (await nc.request(last.subject, last.payload, timeout=timeout, headers=headers)).data
        )
    except nats.errors.NoRespondersError as absent:
        raise BatchRefused(_NO_STREAM, away=True) from absent
    except (nats.errors.Error, TimeoutError) as lost:
        raise BatchUncertain from lost
    if error := answer.get("error"):
        duplicate = error.get("err_code") == _DUPLICATE
        raise BatchRefused(str(error.get("description")), duplicate=duplicate, away=_is_away(error))
    return int(answer["seq"]) - len(messages) + 1


async def _ask(nc: Client, message: Outgoing, headers: dict[str, str], timeout: float) -> dict[str, Any]:
    reply = await nc.request(message.subject, message.payload, timeout=timeout, headers=headers or None)
    answer: dict[str, Any] = json.loads(reply.data)
    return answer


def _is_away(error: Mapping[str, Any]) -> bool:
    return error.get("err_code") in AWAY


def _headers(message: Outgoing, batch_id: str, number: int) -> dict[str, str]:
    return {**message.headers, "Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
