"""The durables on the hub's streams: admission's on INTAKE, each endpoint's two, a witness's one. They are
made, set to what their reader may read, set back, and made anew where a power cut has spoiled their files.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from nats.aio.client import Client

from hub.grants import DIRECTORY, TRAFFIC, Entitlements
from hub.jetstream import ABSENT, JetStreamRefused, api, remove_consumer
from hub.spoiled import Spoiled
from hub.streams import INTAKE
from schemas.errors import Code, OperationError

ADMISSION: Final = "admission"
"""The durable on INTAKE from which admission works."""

_SECOND: Final = 1_000_000_000
_UNANSWERED_MAX: Final = 2048
_ENDPOINT_REQUESTS: Final = 32
_BEGIN: Final = frozenset({"deliver_policy", "opt_start_seq"})
_IN_FORCE_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.01


async def ensure_admission(
    nc: Client,
    durable: str = ADMISSION,
    subjects: Sequence[str] = (),
    *,
    anew: bool = False,
    spoiled: Spoiled | None = None,
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
    config |= {"max_ack_pending": 2 * _UNANSWERED_MAX, "max_waiting": 16}
    await _consumer(nc, INTAKE, config, spoiled)
    await reset(nc, INTAKE, durable, 1)


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
    nc: Client,
    public: str,
    entitlements: Entitlements,
    metadata: Mapping[str, str] | None = None,
    spoiled: Spoiled | None = None,
) -> None:
    """Make an endpoint's two durables, or set their filters to `entitlements`, live.

    On TRAFFIC the endpoint reads what comes after it was made, and of an added community what comes after the
    addition: a joiner starts at the next epoch. Of an added community's membership log it needs everything,
    so the DIRECTORY durable is set back to that log's beginning: the endpoint then sees later directory
    messages again, and knows them by sequence. `metadata` is for the endpoint to read.

    With `spoiled`, a durable that the server cannot read is made anew. What the endpoint had acknowledged
    is not known then, so it is given all that there is: better twice than never.
    """
    traffic = _durable(public, traffic_filters(public, entitlements), "new")
    await _consumer(nc, TRAFFIC, {**traffic, "metadata": dict(metadata)} if metadata else traffic, spoiled)
    wanted = directory_filters(entitlements)
    before = await _consumer(nc, DIRECTORY, _durable(public, wanted, "all"), spoiled)
    if before is not None and (added := set(wanted) - before):
        await _replay(nc, public, added)


async def ensure_witness(nc: Client, public: str, spoiled: Spoiled | None = None) -> None:
    """Make a witness's one durable: the documents, what it is asked to cosign, and what came of it."""
    await _consumer(nc, DIRECTORY, _durable(public, ["d.doc", "d.head", "d.offer"], "all"), spoiled)


async def remove_endpoint(nc: Client, public: str) -> None:
    """Remove an endpoint's durables; absent ones are already removed."""
    await remove_consumer(nc, TRAFFIC, public)
    await remove_consumer(nc, DIRECTORY, public)


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


async def _consumer(
    nc: Client, stream: str, config: dict[str, Any], spoiled: Spoiled | None
) -> set[str] | None:
    """Make or update a durable; the filters that it had before, None if it is new.

    An equal one is not written again: at a start with 300 endpoints that is the difference between seconds
    and none.
    """
    name = config["durable_name"]
    existing = await _existing(nc, stream, name)
    if existing is not None:  # where it began is settled: `begin_at` may have changed it
        config = {**config, **{key: existing[key] for key in _BEGIN & existing.keys()}}
    if existing is None or any(_differs(existing.get(key), value) for key, value in config.items()):
        made = await _make(nc, stream, {**config, "name": name}, spoiled)
        if made.get("cluster"):
            await _in_force(nc, stream, config)
    if existing is None:
        return None
    return set(existing.get("filter_subjects", ()))


def _differs(there: object, wanted: object) -> bool:
    if isinstance(there, dict) and isinstance(wanted, dict):  # the server puts some of its own beside ours
        return not wanted.items() <= there.items()
    return there != wanted


async def _make(nc: Client, stream: str, config: dict[str, Any], spoiled: Spoiled | None) -> dict[str, Any]:
    name = config["name"]
    call, body = f"CONSUMER.CREATE.{stream}.{name}", {"stream_name": stream, "config": config, "action": ""}
    whole = {**body, "config": {**config, "deliver_policy": "all"}}
    if spoiled is None:
        return await api(nc, call, body)
    try:
        made = await api(nc, call, whole if spoiled.is_aside(stream, name) else body)
    except JetStreamRefused as refused:
        if not (refused.unreadable and spoiled.put_aside(stream, name)):
            raise
        made = await api(nc, call, whole)
    spoiled.forget(stream, name)
    return made


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
