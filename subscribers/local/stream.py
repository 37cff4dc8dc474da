"""BULLETINS, the stream on the agency's own NATS: what the node has archived, under rich subjects, for its
clients.

Short retention and a window of message ids as long as the retention: however often the node republishes a
bulletin that it is not sure of, clients get it once. Each client has one durable, made here, that delivers up
to its TLP ceiling.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    Header,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from schemas.errors import Code, OperationError
from schemas.subjects import BULLETINS, is_slug, local_bulletin
from schemas.vocabulary import Realm
from subscribers.local.accounts import feed_filters
from subscribers.local.spoiled import Spoiled
from subscribers.records import Record
from subscribers.service.roles import ClientEntry

ACK_WAIT: Final = 20.0
"""Seconds after which a bulletin that a client has not acknowledged is delivered again."""
UNACKNOWLEDGED_MAX: Final = 1_000
_PUBLISH_LIMIT: Final = 10.0
_DAY: Final = 86_400.0
_NO_ROOM: Final = 10047
"""nats-server's own code for "insufficient storage resources available"."""
_UNMADE: Final = 10012
_UNREADABLE: Final = "error creating store for consumer"
"""All that it tells where it cannot read the files of that durable, as a power cut may leave them, or make
them."""


def subject_of(record: Record) -> str:
    """Where a record is republished. Raises OperationError `bad_subject` for a community name that is no
    subject token.
    """
    bulletin = record.bulletin
    if not is_slug(record.community_slug):
        raise OperationError(
            Code.BAD_SUBJECT, "the community's short name is not a subject token", "give it a slug"
        )
    realm = Realm.EXERCISE if bulletin.exercise else Realm.LIVE
    return local_bulletin(realm, record.community_slug, bulletin.kind, bulletin.severity, bulletin.tlp)


async def ensure_stream(js: JetStreamContext, retention_days: int, max_bytes: int) -> None:
    """Make the stream, or bring an older one to these limits. OperationError `disk_full` when the server says
    that there is no room for them.
    """
    age = retention_days * _DAY
    config = StreamConfig(
        name=BULLETINS, subjects=["bulletin.>"], storage=StorageType.FILE, discard=DiscardPolicy.OLD,
        max_age=age, max_bytes=max_bytes, duplicate_window=age, deny_delete=True, deny_purge=True,
    )  # fmt: skip
    try:
        await _make(js, config)
    except APIError as error:
        if error.err_code != _NO_ROOM:
            raise
        raise OperationError(
            Code.DISK_FULL,
            f"the disk has no room for the local stream's {max_bytes // 2**20} MiB",
            "free space: NATS takes at most three quarters of what is free",
        ) from None


async def _make(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.stream_info(BULLETINS)
    except NotFoundError:
        await js.add_stream(config)
    else:
        await js.update_stream(config)


async def ensure_durable(js: JetStreamContext, client: ClientEntry, spoiled: Spoiled) -> None:
    """Make the client's durable, or move its filters to the client's ceiling; a new one begins with what
    comes next.

    Files of one that the server cannot read are put aside. What the client had read is not known then, so it
    begins with all that there is: better twice than never.
    """
    filters = feed_filters(client.ceiling)
    try:
        info = await js.consumer_info(BULLETINS, client.name)
    except NotFoundError:
        begin = DeliverPolicy.ALL if spoiled.is_aside(client.name) else DeliverPolicy.NEW
        try:
            await js.add_consumer(BULLETINS, _durable(client.name, filters, begin))
        except APIError as error:
            if not (_is_unreadable(error) and spoiled.put_aside(client.name)):
                raise
            await js.add_consumer(BULLETINS, _durable(client.name, filters, DeliverPolicy.ALL))
        spoiled.forget(client.name)
        return
    present = info.config.filter_subjects or [info.config.filter_subject]
    if sorted(filter(None, present)) != sorted(filters):
        info.config.filter_subject, info.config.filter_subjects = None, filters
        await js.add_consumer(BULLETINS, info.config)


async def drop_durables(js: JetStreamContext, keep: set[str]) -> None:
    """Delete the durables of clients that are no longer there."""
    for info in await js.consumers_info(BULLETINS):
        if info.name not in keep:
            await js.delete_consumer(BULLETINS, info.name)


def _is_unreadable(error: APIError) -> bool:
    return error.err_code == _UNMADE and error.description == _UNREADABLE


def _durable(name: str, filters: list[str], start: DeliverPolicy) -> ConsumerConfig:
    return ConsumerConfig(
        name=name, durable_name=name, filter_subjects=filters, deliver_policy=start,
        ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT, max_deliver=-1, max_ack_pending=UNACKNOWLEDGED_MAX,
    )  # fmt: skip


async def newest(js: JetStreamContext) -> str | None:
    """The id of the bulletin that was republished last; None when the stream holds none (any more). Raises
    nats-py's errors.
    """
    try:
        message = await js.get_last_msg(BULLETINS, "bulletin.>")
    except NotFoundError:
        return None
    return (message.headers or {}).get(Header.MSG_ID.value)


async def republish(js: JetStreamContext, records: Sequence[Record]) -> None:
    """Publish every record in order, once, and wait until the stream has them all.

    Raises OperationError `node_unreachable` when it is not known to have them all: repeating the call is
    safe.
    """
    messages = [
        (subject_of(each), each.model_dump_json(exclude_none=True).encode(), each.bulletin.id)
        for each in records
    ]
    try:
        async with asyncio.timeout(_PUBLISH_LIMIT + len(messages) / 100):
            acknowledged = [
                await js.publish_async(subject, payload, stream=BULLETINS, headers={Header.MSG_ID.value: id_})
                for subject, payload, id_ in messages
            ]
            await asyncio.gather(*acknowledged)
    except (Error, TimeoutError, OSError) as error:
        raise OperationError(
            Code.NODE_UNREACHABLE,
            f"the agency's NATS did not take every bulletin: {type(error).__name__}",
            "it is tried again; look at server.log and the room on the disk if it goes on",
        ) from None
