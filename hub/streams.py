"""The hub's five streams, and one read through what is stored. Who reads them: `hub.durables`.

INTAKE takes what endpoints send and keeps it until admission has worked on it. TRAFFIC is what everybody
reads; DIRECTORY is who is who; QUARANTINE is what was refused. A frame is never removed from TRAFFIC, so the
last one of every chain, from which admission rebuilds its state, is always there; wraps and receipts go with
time (`Nats-TTL`), because they would outgrow it. CHUNKS holds the ciphertext of attachments, each chunk under
its own hash, for as long as the operator says.
"""

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.fence import OFFICE_FENCE, PARTITION_FENCES
from hub.grants import DIRECTORY, MAX_PAYLOAD, TRAFFIC
from hub.jetstream import ABSENT, JetStreamRefused, api
from hub.partitions import SLOT
from hub.pull import Pull
from hub.stream_limits import StreamLimits
from schemas.errors import OperationError
from schemas.limits import CHUNK_MAX, INTAKE_AGE_MAX
from schemas.subjects import CHUNKS, chunk_at

INTAKE: Final = "INTAKE"
QUARANTINE: Final = "QUARANTINE"
CHUNK_USE: Final = "cu"
"""First token of the subject in CHUNKS under which stands how much an endpoint has uploaded: `cu.<PK>`."""
TTL_HEADER: Final = "Nats-TTL"
WRAP_TTL: Final = "4320h"
"""180 days: an endpoint away for longer asks a holder to wrap old epochs again."""
RECEIPT_TTL: Final = "4320h"
HISTORY_TTL: Final = "720h"
"""30 days: who asked for old keys has long asked another holder by then."""

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
_MILLISECOND: Final = 1_000_000
_SCAN_BATCH: Final = 1000
_END_SECONDS: Final = 1.0
_KEPT: Final = frozenset({"metadata"})
"""That a stream came from a backup stays said: `hub.recovery.returned`."""
_FOR_GOOD: Final = frozenset({"persist_mode"})
"""What the server changes in no stream that is there."""


def stream_configs(limits: StreamLimits) -> list[dict[str, Any]]:
    """The five streams, as the JetStream API takes them.

    INTAKE refuses new messages when it is full, so that its senders keep them, and has the shortest window
    for message ids that there is (100 ms): ids there are the senders' own, and one could otherwise claim
    another's. It alone acknowledges before it writes: senders keep what has no receipt, and send it again on
    every new connection. It may be purged, which is how the hub takes away what it has worked on.

    CHUNKS has one message to an address: the same chunk again takes the place of the first and begins its
    time anew. Full, it refuses, so that what others have sent is not lost before its time.

    Replicated, INTAKE acknowledges when a majority has it: NATS offers nothing looser there.
    """
    common: dict[str, Any] = {
        **limits.spread,
        "storage": "file",
        "retention": "limits",
        "deny_delete": True,
        "persist_mode": "default",
    }
    kept = {**common, "deny_purge": True, "duplicate_window": 120 * _SECOND}
    return [
        {
            **common,
            "name": INTAKE,
            "subjects": [f"{SLOT}.>"] if limits.shared else ["in.>", "s.>"],
            "max_age": INTAKE_AGE_MAX * _MILLISECOND,
            "max_bytes": limits.intake_bytes,
            "max_msg_size": MAX_PAYLOAD,
            "discard": "new",
            "duplicate_window": 100 * _MILLISECOND,
            "persist_mode": "async" if limits.replicas == 1 else "default",
        },
        {
            **kept,
            "name": TRAFFIC,
            "subjects": ["f.>", "w.>", "r.>", "h.>", "o.>", *([PARTITION_FENCES] if limits.shared else [])],
            "max_msg_size": 128 * 1024,
            "allow_atomic": True,
            "allow_msg_ttl": True,
        },
        {
            **kept,
            "name": DIRECTORY,
            "subjects": [
                "d.doc",
                "d.head",
                "d.offer",
                "m.*",
                *([OFFICE_FENCE, "acct.*"] if limits.shared else []),
            ],
            "max_msg_size": 64 * 1024,
            "allow_atomic": True,
            "allow_msg_ttl": True,
        },
        {
            **kept,
            "name": QUARANTINE,
            "subjects": ["q.>"],
            "max_age": limits.quarantine_days * _DAY,
            "max_bytes": limits.quarantine_bytes,
            "max_msgs_per_subject": 1000,  # one sender's refusals for one reason do not push out another's
            "discard": "old",
        },
        {
            **kept,
            "name": CHUNKS,
            "subjects": [chunk_at("*"), f"{CHUNK_USE}.*"],
            "max_age": limits.chunk_days * _DAY,
            "max_bytes": limits.chunk_bytes,
            "max_msg_size": CHUNK_MAX + 1024,
            "max_msgs_per_subject": 1,
            "discard": "new",
            "allow_direct": True,
        },
    ]


async def ensure_streams(nc: Client, limits: StreamLimits | None = None) -> None:
    """Make the streams, or bring those that exist to this configuration. Raises `JetStreamRefused`."""
    for config in stream_configs(limits or StreamLimits()):
        name = config["name"]
        try:
            existing = (await api(nc, f"STREAM.INFO.{name}"))["config"]
        except JetStreamRefused as refused:
            if refused.reason not in ABSENT:
                raise
            await api(nc, f"STREAM.CREATE.{name}", config)
        else:
            kept = _FOR_GOOD | _KEPT
            wanted = {**config, **{key: existing[key] for key in kept & existing.keys()}}
            if any(existing.get(key) != value for key, value in wanted.items()):
                await api(nc, f"STREAM.UPDATE.{name}", wanted)


def drift(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """How a stream's configuration differs from what it should be, but for what is chosen for good."""
    return [
        f"{name} is {found.get(name)!r}, and should be {value!r}"
        for name, value in wanted.items()
        if name not in _FOR_GOOD and found.get(name) != value
    ]


async def trim_intake(nc: Client, through: int, subjects: Sequence[str] = ()) -> None:
    """Take away from INTAKE, on these `subjects` or on all, what lies before the sequence `through`. Cheap;
    now and then, as messages flow.
    """
    for wanted in [{"filter": each} for each in subjects] or [{}]:
        if through > 1:
            await api(nc, f"STREAM.PURGE.{INTAKE}", {"seq": through, **wanted})


async def scan(
    nc: Client, stream: str, subjects: Collection[str], *, last_per_subject: bool = False
) -> AsyncIterator[list[Msg]]:
    """Read once through what `stream` holds now on `subjects`, in order, as lists; or only the last of each
    subject.

    Each message's stream sequence is `message.metadata.sequence.stream`. What arrives meanwhile may or may
    not be included.
    """
    policy = "last_per_subject" if last_per_subject else "all"
    reader = {
        "ack_policy": "none",
        "deliver_policy": policy,
        "mem_storage": True,
        "inactive_threshold": 60 * _SECOND,
    }
    made = await api(
        nc,
        f"CONSUMER.CREATE.{stream}",
        {"stream_name": stream, "config": {**reader, "filter_subjects": list(subjects)}},
    )
    left = int(made["num_pending"])
    try:
        if left:
            async with Pull(nc, stream, made["name"], batch=_SCAN_BATCH, patient=False) as pull:
                async for messages in pull:
                    yield messages
                    left -= len(messages)
                    if left <= 0:
                        break
    finally:
        # Its time would end it, too, but not while its server is away.
        with contextlib.suppress(OperationError):
            await api(nc, f"CONSUMER.DELETE.{stream}.{made['name']}", timeout=_END_SECONDS)
