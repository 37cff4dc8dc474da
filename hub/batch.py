"""Atomic batch publishing into a stream: all of it, in order, with one write to the disk, or nothing (NATS
ADR-50).

Under `sync_interval: always` this is what makes the traffic stream fast: one fsync a batch instead of one a
message.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import nats.errors
from nats.aio.client import Client

from schemas.errors import Code, OperationError

MAX_BATCH: Final = 1000
"""The server's own limit."""
_DUPLICATE: Final = 10201


@dataclass(frozen=True)
class Outgoing:
    """One message to publish. `headers` may hold `Nats-Msg-Id` and `Nats-TTL`."""

    subject: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class BatchRefused(OperationError):
    """Nothing of the batch was stored. `duplicate`: a message id is already in the stream's window, or twice
    in the batch.
    """

    def __init__(self, message: str, *, duplicate: bool) -> None:
        fix = "leave out what is already there" if duplicate else "see the NATS server's log"
        super().__init__(Code.INTERNAL, message, fix)
        self.duplicate = duplicate


class BatchUncertain(OperationError):
    """No answer came: the batch was stored whole or not at all. Read the stream before publishing on."""

    def __init__(self) -> None:
        super().__init__(
            Code.HUB_UNREACHABLE,
            "the NATS server did not confirm a batch",
            "it is read again when the server is back",
        )


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
        for number, message in enumerate(messages[:-1], 1):
            await nc.publish(message.subject, message.payload, headers=_headers(message, batch_id, number))
        last = messages[-1]
        headers = _headers(last, batch_id, len(messages)) | {"Nats-Batch-Commit": "1"}
        answer = json.loads(
            (await nc.request(last.subject, last.payload, timeout=timeout, headers=headers)).data
        )
    except nats.errors.NoRespondersError as absent:
        raise BatchRefused("no stream takes these subjects", duplicate=False) from absent
    except (nats.errors.Error, TimeoutError) as lost:
        raise BatchUncertain from lost
    if error := answer.get("error"):
        raise BatchRefused(str(error.get("description")), duplicate=error.get("err_code") == _DUPLICATE)
    return int(answer["seq"]) - len(messages) + 1


def _headers(message: Outgoing, batch_id: str, number: int) -> dict[str, str]:
    return {**message.headers, "Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
