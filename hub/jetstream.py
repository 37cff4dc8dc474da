"""One call of the JetStream API, with its refusals as errors.

Plain JSON rather than nats-py's configuration classes, which do not know every setting that the hub relies
on.
"""

import json
from typing import Any, Final

import nats.errors
from nats.aio.client import Client

from schemas.errors import Code, OperationError

NO_MESSAGE: Final = 10037
NO_CONSUMER: Final = 10014
NO_STREAM: Final = 10059
ABSENT: Final = frozenset({NO_MESSAGE, NO_CONSUMER, NO_STREAM})
_NO_ROOM: Final = frozenset({10023, 10028, 10047, 10077})


class JetStreamRefused(OperationError):
    """The server said no. `reason` is its error number (`err_code`)."""

    def __init__(self, call: str, reason: int, description: str) -> None:
        full = reason in _NO_ROOM
        super().__init__(
            Code.DISK_FULL if full else Code.INTERNAL,
            f"JetStream refused {call}: {description}",
            "free disk space, or lower the stream limits in the settings"
            if full
            else "see the NATS server's log",
        )
        self.reason = reason


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
