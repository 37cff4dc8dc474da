"""The hub's five streams, its durables, and one read through what is stored.

INTAKE takes what endpoints send and keeps it until admission has worked on it. TRAFFIC is what everybody
reads; DIRECTORY is who is who; QUARANTINE is what was refused. A frame is never removed from TRAFFIC, so the
last one of every chain, from which admission rebuilds its state, is always there; wraps and receipts go with
time (`Nats-TTL`), because they would outgrow it. CHUNKS holds the ciphertext of attachments, each chunk under
its own hash, for as long as the operator says.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.fence import OFFICE_FENCE, PARTITION_FENCES
from hub.grants import DIRECTORY, MAX_PAYLOAD, TRAFFIC, Entitlements
from hub.jetstream import ABSENT, JetStreamRefused, api, remove_consumer
from hub.partitions import SLOT
from hub.pull import Pull
from hub.stream_limits import StreamLimits
from schemas.errors import Code, OperationError
from schemas.limits import CHUNK_MAX, INTAKE_AGE_MAX
from schemas.subjects import CHUNKS, chunk_at

INTAKE: Final = "INTAKE"
QUARANTINE: Final = "QUARANTINE"
CHUNK_USE: Final = "cu"
"""First token of the subject in CHUNKS under which stands how much an endpoint has uploaded: `cu.<PK>`."""
ADMISSION: Final = "admission"
"""The durable on INTAKE from which admission works."""

TTL_HEADER: Final = "Nats-TTL"
WRAP_TTL: Final = "4320h"
"""180 days: an endpoint away for longer asks a holder to wrap old epochs again."""
RECEIPT_TTL: Final = "4320h"
HISTORY_TTL: Final = "720h"
"""30 days: who asked for old keys has long asked another holder by then."""

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
_MILLISECOND: Final = 1_000_000
_UNANSWERED_MAX: Final = 2048
_ENDPOINT_REQUESTS: Final = 32
_SCAN_BATCH: Final = 1000
_END_SECONDS: Final = 1.0
_BEGIN: Final = frozenset({"deliver_policy", "opt_start_seq"})
_KEPT: Final = frozenset({"metadata"})
"""That a stream came from a backup stays said: `hub.recovery.returned`."""
_IN_FORCE_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.01
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


async def ensure_admission(
    nc: Client, durable: str = ADMISSION, subjects: Sequence[str] = (), *, anew: bool = False
) -> None:
    """Make admission's durable, on these `subjects` of INTAKE or on all, and set it back to the beginning:
    before every time that pulling begins.
    `anew` where another hub may have asked, and stands still: what is only set back gives it the next ones.

    What it has acknowledged says nothing once the end of the intake was lost, because the numbers of what was
    lost are given again. The router knows by their marks what it has answered (`hub.state.Mark`).

    One acknowledgement covers all before it. After a crash new pulls could bring later messages first, and
    acknowledging those would drop the earlier ones unprocessed; set back, the durable begins again at the gap
    (nats.md).
    """
    config = {
        "durable_name": durable,
        "ack_policy": "all",
        "deliver_policy": "all",
        "ack_wait": 15 * _SECOND,  # see hub.presence for what makes it matter little
    }
    if subjects:
        config["filter_subjects"] = list(subjects)
    if anew:
        await remove_consumer(nc, INTAKE, durable)
    await _consumer(nc, INTAKE, {**config, "max_ack_pending": 2 * _UNANSWERED_MAX, "max_waiting": 16})
    await reset(nc, INTAKE, durable, 1)


async def trim_intake(nc: Client, through: int, subjects: Sequence[str] = ()) -> None:
    """Take away from INTAKE, on these `subjects` or on all, what lies before the sequence `through`. Cheap;
    now and then, as messages flow.
    """
    for wanted in [{"filter": each} for each in subjects] or [{}]:
        if through > 1:
            await api(nc, f"STREAM.PURGE.{INTAKE}", {"seq": through, **wanted})


async def reset(nc: Client, stream: str, durable: str, sequence: int | None = None) -> None:
    """Set a durable back to its acknowledgement floor, or to deliver from the stream sequence `sequence`
    on.
    """
    await api(nc, f"CONSUMER.RESET.{stream}.{durable}", None if sequence is None else {"seq": sequence})


async def begin_at(nc: Client, stream: str, durable: str, sequence: int) -> None:
    """Make a durable anew that delivers from the stream sequence `sequence` on, with all else as it was. One
    that was made for what is new cannot be set back. Killed in between, it is made again as for a newcomer.
    """
    config = await _existing(nc, stream, durable)
    if config is None:
        raise OperationError(Code.NOT_FOUND, "the hub has no feed for this endpoint", "admit it again")
    await api(nc, f"CONSUMER.DELETE.{stream}.{durable}")
    begin = {"deliver_policy": "by_start_sequence", "opt_start_seq": sequence}
    body = {"stream_name": stream, "config": {**config, **begin}, "action": ""}
    await api(nc, f"CONSUMER.CREATE.{stream}.{durable}", body)


def traffic_filters(public: str, entitlements: Entitlements) -> list[str]:
    """What the endpoint reads of TRAFFIC: its wraps, its receipts, which old keys it is asked for, the frames
    of its communities.
    """
    frames = [f"f.{realm}.{community}.*.*" for realm, community in sorted(entitlements)]
    return [f"w.{public}", f"r.{public}", f"h.{public}", f"o.{public}", *frames]


def directory_filters(entitlements: Entitlements) -> list[str]:
    """What the endpoint reads of DIRECTORY: the directory in full, the membership logs of its communities."""
    return ["d.doc", "d.head", *sorted({f"m.{community}" for _, community in entitlements})]


async def ensure_endpoint(
    nc: Client, public: str, entitlements: Entitlements, metadata: Mapping[str, str] = _NONE
) -> None:
    """Make an endpoint's two durables, or set their filters to `entitlements`, live.

    On TRAFFIC the endpoint reads what comes after it was made, and of an added community what comes after the
    addition: a joiner starts at the next epoch. Of an added community's membership log it needs everything,
    so the DIRECTORY durable is set back to that log's beginning: the endpoint then sees later directory
    messages again, and knows them by sequence. `metadata` is for the endpoint to read.
    """
    traffic = _durable(public, traffic_filters(public, entitlements), "new")
    await _consumer(nc, TRAFFIC, {**traffic, "metadata": dict(metadata)} if metadata else traffic)
    wanted = directory_filters(entitlements)
    before = await _consumer(nc, DIRECTORY, _durable(public, wanted, "all"))
    if before is not None and (added := set(wanted) - before):
        await _replay(nc, public, added)


async def ensure_witness(nc: Client, public: str) -> None:
    """Make a witness's one durable: the documents, what it is asked to cosign, and what came of it."""
    await _consumer(nc, DIRECTORY, _durable(public, ["d.doc", "d.head", "d.offer"], "all"))


async def remove_endpoint(nc: Client, public: str) -> None:
    """Remove an endpoint's durables; absent ones are already removed."""
    await remove_consumer(nc, TRAFFIC, public)
    await remove_consumer(nc, DIRECTORY, public)


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


def _durable(public: str, filters: list[str], start: str) -> dict[str, Any]:
    return {
        "durable_name": public,
        "ack_policy": "explicit",
        "ack_wait": 15 * _SECOND,  # see hub.presence for what makes it matter little
        "deliver_policy": start,
        "filter_subjects": filters,
        "max_ack_pending": _UNANSWERED_MAX,
        "max_waiting": _ENDPOINT_REQUESTS,
    }


async def _consumer(nc: Client, stream: str, config: dict[str, Any]) -> set[str] | None:
    """Make or update a durable; the filters that it had before, None if it is new.

    An equal one is not written again: at a start with 300 endpoints that is the difference between seconds
    and none.
    """
    name = config["durable_name"]
    existing = await _existing(nc, stream, name)
    if existing is not None:  # where it began is settled: `begin_at` may have changed it
        config = {**config, **{key: existing[key] for key in _BEGIN & existing.keys()}}
    if existing is None or any(_differs(existing.get(key), value) for key, value in config.items()):
        body = {"stream_name": stream, "config": {**config, "name": name}, "action": ""}
        made = await api(nc, f"CONSUMER.CREATE.{stream}.{name}", body)
        if made.get("cluster"):
            await _in_force(nc, stream, config)
    if existing is None:
        return None
    return set(existing.get("filter_subjects", ()))


def _differs(there: object, wanted: object) -> bool:
    if isinstance(there, dict) and isinstance(wanted, dict):  # the server puts some of its own beside ours
        return not wanted.items() <= there.items()
    return there != wanted


async def _in_force(nc: Client, stream: str, config: dict[str, Any]) -> None:
    """Return when the server that leads a replicated durable works by `config`: the answer to its change may
    come sooner, and what is published before then on a subject that was added is skipped for good.
    """
    name = config["durable_name"]
    try:
        async with asyncio.timeout(_IN_FORCE_SECONDS):
            while True:
                existing = await _existing(nc, stream, name)
                if existing and not any(_differs(existing.get(key), config[key]) for key in config):
                    return
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        late = f"the durable {name} is not in force yet"
        raise OperationError(Code.HUB_UNREACHABLE, late, "it is tried again") from None


async def _existing(nc: Client, stream: str, durable: str) -> dict[str, Any] | None:
    try:
        config: dict[str, Any] = (await api(nc, f"CONSUMER.INFO.{stream}.{durable}"))["config"]
    except JetStreamRefused as refused:
        if refused.reason not in ABSENT:
            raise
        return None
    # One subject is given back under the other name.
    if single := config.pop("filter_subject", None):
        config["filter_subjects"] = [single]
    return config


async def _replay(nc: Client, public: str, added: Collection[str]) -> None:
    """Set the DIRECTORY durable back to the first message on the `added` subjects, or to what it has not
    acknowledged.
    """
    firsts = []
    for subject in added:
        try:
            found = await api(nc, f"STREAM.MSG.GET.{DIRECTORY}", {"seq": 1, "next_by_subj": subject})
        except JetStreamRefused as refused:
            if refused.reason not in ABSENT:
                raise
        else:
            firsts.append(int(found["message"]["seq"]))
    if not firsts:
        return
    # Always: where a durable stands is not told. It is past every message that its old filters left out,
    # so that "delivered" may lie before the added log and the log would be skipped all the same.
    info = await api(nc, f"CONSUMER.INFO.{DIRECTORY}.{public}")
    await reset(nc, DIRECTORY, public, min(*firsts, info["ack_floor"]["stream_seq"] + 1))
