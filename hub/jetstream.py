"""One call of the JetStream API, with its refusals as errors.

Plain JSON rather than nats-py's configuration classes, which do not know every setting that the hub relies
on.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final

import nats.errors
from nats.aio.client import Client

from schemas.errors import Code, OperationError

NO_MESSAGE: Final = 10037
NO_CONSUMER: Final = 10014
NO_STREAM: Final = 10059
ABSENT: Final = frozenset({NO_MESSAGE, NO_CONSUMER, NO_STREAM})
_NO_ROOM: Final = frozenset({10023, 10028, 10047, 10077})
AWAY: Final = frozenset({10004, 10005, 10008, 10009, 10039})
"""A server that has only just started and has not given the account its store yet, a cluster that has not
found together yet, or is changing its leader: it is asked again."""
_NO_SERVERS: Final = 10005
_UNTAGGED: Final = "tags not matched"
_UNMADE: Final = 10012
_UNREADABLE: Final = "error creating store for consumer"
"""All that a server tells where it cannot read the files of that durable, or make them; its log says more."""
_OFFLINE: Final = "offline"
"""Of a placement's servers, some are known and away: they may come back."""


class JetStreamRefused(OperationError):
    """The server said no. `reason` is its error number (`err_code`); `unplaced`: too few of the servers that
    it knows have the tags asked for, and none is away; `unreadable`: it cannot read the files of that
    durable, or not make them.
    """

    def __init__(self, call: str, reason: int, description: str) -> None:
        unplaced = reason == _NO_SERVERS and _UNTAGGED in description and _OFFLINE not in description
        unreadable = reason == _UNMADE and description == _UNREADABLE
        code, hint = Code.INTERNAL, "see the NATS server's log"
        if reason in _NO_ROOM:
            code, hint = Code.DISK_FULL, "free disk space, or lower the stream limits in the settings"
        elif unplaced:
            code, hint = Code.BAD_SETTINGS, "as many servers as there are replicas need every placement tag"
        elif unreadable:
            code = Code.STORE_CORRUPT
            hint = "see the NATS server's log; stop it, delete that name in the stream's `obs`, start it"
        elif reason in AWAY:
            code = Code.HUB_UNREACHABLE
        super().__init__(code, f"JetStream refused {call}: {description}", hint)
        self.reason, self.unplaced, self.unreadable = reason, unplaced, unreadable


async def api(
    nc: Client, call: str, body: dict[str, Any] | None = None, *, timeout: float = 10.0
) -> dict[str, Any]:
    """Call `$JS.API.<call>` and return its answer.

    Raises `JetStreamRefused`, or `OperationError` HUB_UNREACHABLE if nothing answers within `timeout`
    seconds.
    """
    payload = b"" if body is None else json.dumps(body).encode()
    try:
        message = await nc.request(f"$JS.API.{call}", payload, timeout=timeout)
    except (nats.errors.Error, TimeoutError) as lost:
        raise OperationError(
            Code.HUB_UNREACHABLE,
            f"JetStream did not answer {call}",
            "see that the NATS server runs, with JetStream on",
        ) from lost
    answer: dict[str, Any] = json.loads(message.data)
    if error := answer.get("error"):
        raise refusal_of(call, error)
    return answer


def refusal_of(call: str, error: dict[str, Any]) -> JetStreamRefused:
    """The `error` of an answer as an error."""
    return JetStreamRefused(call, int(error.get("err_code", 0)), str(error.get("description", "")))


def stored_text(answer: dict[str, Any]) -> bytes:
    """The payload in an answer of `STREAM.MSG.GET`."""
    return base64.b64decode(answer["message"].get("data", ""))


async def next_stored(
    nc: Client, stream: str, subjects: Sequence[str], after: int
) -> tuple[int, str, bytes] | None:
    """The first message on any of `subjects` (wildcards too) after the sequence `after`: its sequence,
    subject and payload; None when there is none.

    The stream's leader answers, so that it is all that anybody has been told is stored: a consumer may sit on
    a replica that lags behind.
    """
    seen = await _oldest(nc, stream, subjects, after)
    # Between two of its questions something may be stored that comes before what the second one finds. When
    # all are asked again, whatever comes before `seen` is there.
    return await _oldest(nc, stream, subjects, after) if seen and len(subjects) > 1 else seen


async def _oldest(
    nc: Client, stream: str, subjects: Sequence[str], after: int
) -> tuple[int, str, bytes] | None:
    found = [await _next_on(nc, stream, each, after) for each in subjects]
    return min((each for each in found if each is not None), default=None)


async def _next_on(nc: Client, stream: str, subject: str, after: int) -> tuple[int, str, bytes] | None:
    try:
        found = await api(nc, f"STREAM.MSG.GET.{stream}", {"seq": after + 1, "next_by_subj": subject})
    except JetStreamRefused as refused:
        if refused.reason != NO_MESSAGE:
            raise
        return None
    message = found["message"]
    return int(message["seq"]), str(message["subject"]), stored_text(found)


async def remove_consumer(nc: Client, stream: str, consumer: str) -> None:
    """Remove a consumer; an absent one is already removed. Raises as `api`."""
    try:
        await api(nc, f"CONSUMER.DELETE.{stream}.{consumer}")
    except JetStreamRefused as refused:
        if refused.reason not in ABSENT:
            raise
