"""What the bot counts on from the node: one suite over the client in memory and the real one on NATS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bots.ports import NodeClient
from schemas.errors import Code, LiaisonError
from schemas.subjects import BULLETINS
from schemas.vocabulary import Kind, Severity, Tlp
from subscribers.local import Role
from subscribers.records import Filters, Record
from tests.support.local_nats import running_node
from tests.support.node import DirectNode
from tests.support.node_api import SLUG, make_draft, make_record

DEADLINE = 50.0  # what was not acknowledged comes again only after the durable's ack wait of 20 s


@dataclass
class Side:
    """A client, and what puts bulletins into its node."""

    client: NodeClient
    arrive: Callable[[Record], Awaitable[None]]


@contextlib.asynccontextmanager
async def in_memory(_: Path) -> AsyncIterator[Side]:
    node = DirectNode()
    yield Side(node, node.arrive)


@contextlib.asynccontextmanager
async def on_nats(folder: Path) -> AsyncIterator[Side]:
    async with running_node(folder) as node, node.client(role=Role.PUBLISHER, ceiling=Tlp.RED) as agency:

        async def arrive(record: Record) -> None:
            node.api.records.append(record)
            await node.local.republish([record])

        # What is left unacknowledged comes again after twenty seconds otherwise.
        js = (await node.local.connection()).jetstream(timeout=DEADLINE)
        (durable,) = await js.consumers_info(BULLETINS)
        await js.add_consumer(BULLETINS, durable.config, ack_wait=2)
        yield Side(agency, arrive)


@pytest.fixture(params=[in_memory, on_nats], ids=["memory", "nats"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    async with request.param(tmp_path) as made:
        yield made


async def test_the_latest_come_newest_first_and_page(side: Side) -> None:
    for number in range(1, 6):
        await side.arrive(make_record(number))
    first = await side.client.latest(Filters(), 3)
    assert [each.bulletin.ref[-1] for each in first.items] == ["5", "4", "3"]
    rest = await side.client.latest(Filters(), 3, first.cursor)
    assert [each.bulletin.ref[-1] for each in rest.items] == ["2", "1"]
    assert rest.cursor is None


async def test_a_search_keeps_to_its_filters(side: Side) -> None:
    await side.arrive(make_record(1, title="Drone one"))
    await side.arrive(make_record(2, title="Drone two", tlp="TLP:AMBER"))
    found = await side.client.search("drone", filters=Filters(tlp_at_most=Tlp.GREEN), limit=5)
    assert [each.bulletin.ref for each in found.items] == ["FRA-2026-0001"]
    assert found.total in (None, 1)


async def test_one_is_shown_by_reference_and_by_id(side: Side) -> None:
    record = make_record(7)
    await side.arrive(record)
    assert await side.client.show("FRA-2026-0007") == record
    assert await side.client.show(record.bulletin.id) == record


async def test_what_is_not_there_is_not_found(side: Side) -> None:
    with pytest.raises(LiaisonError) as refused:
        await side.client.show("FRA-2026-9999")
    assert refused.value.code is Code.NOT_FOUND


async def test_an_acknowledgement_is_published(side: Side) -> None:
    record = make_record(1)
    await side.arrive(record)
    published = await side.client.acknowledge(record.bulletin.id, officer="officer-1")
    assert published.state in {"queued", "admitted"}
    shown = await side.client.show(published.id)
    assert shown.bulletin.kind is Kind.ACKNOWLEDGEMENT
    assert shown.bulletin.drafter == "officer-1"


async def test_a_draft_goes_out_once_under_its_name_with_its_files(side: Side) -> None:
    (own,) = [each for each in await side.client.identity() if each.own]
    assert own.agency_name
    given = await side.client.files.give("map.txt", b"a map")
    once = "019c132c-df40-7a10-8b5e-00000000d0ce"
    first = await side.client.publish(make_draft("Drone"), SLUG, [given.id], once=once)
    again = await side.client.publish(make_draft("Drone"), SLUG, [given.id], once=once)
    other = await side.client.publish(make_draft("Drone"), SLUG)
    assert again == first
    assert other.id != first.id
    assert [each.name for each in (await side.client.show(first.id)).bulletin.attachments] == ["map.txt"]


async def test_a_sighting_goes_to_its_originator_alone_once_under_its_name(side: Side) -> None:
    record = make_record(1)
    await side.arrive(record)
    link = {"relation": "sights", "id": record.bulletin.id}
    sighting = make_draft("Seen", kind="sighting", links=[link])
    once = "019c132c-df40-7a10-8b5e-00000000d0cf"
    first = await side.client.publish(sighting, SLUG, once=once, private=True)
    assert await side.client.publish(sighting, SLUG, once=once, private=True) == first
    assert [each.flags for each in await side.client.replies(record.bulletin.id)] == [{"private"}]


async def test_what_was_answered_is_listed_under_the_bulletin(side: Side) -> None:
    record, other = make_record(1), make_record(2)
    await side.arrive(record)
    await side.arrive(other)
    public = await side.client.acknowledge(record.bulletin.id)
    private = await side.client.acknowledge(record.bulletin.ref, private=True)
    found = await side.client.replies(record.bulletin.ref)
    assert [each.bulletin.id for each in found] == [private.id, public.id]
    assert [each.flags for each in found] == [{"private"}, set()]
    assert [each.bulletin.id for each in await side.client.replies(record.bulletin.id, 1)] == [private.id]
    assert await side.client.replies(other.bulletin.id) == []


async def test_the_chain_of_a_bulletin_is_told_without_a_word_of_it(side: Side) -> None:
    record = make_record(1, title="A word of it", tlp="TLP:AMBER")
    await side.arrive(record)
    chain = await side.client.provenance(record.bulletin.ref)
    assert (chain.id, chain.agency, chain.tlp) == (record.bulletin.id, record.agency, Tlp.AMBER)
    assert "A word of it" not in chain.model_dump_json()


def refs(records: list[Record]) -> set[str]:
    return {each.bulletin.ref for each in records}


async def test_what_is_like_a_bulletin_keeps_to_its_filters(side: Side) -> None:
    record = make_record(1, title="Forged passports at the border")
    await side.arrive(record)
    for number, tlp in ((2, "TLP:GREEN"), (3, "TLP:AMBER")):
        await side.arrive(make_record(number, title="More forged passports", tlp=tlp))
    await side.arrive(make_record(4, title="Nothing of the kind"))
    within = Filters(tlp_at_most=Tlp.GREEN)
    assert refs(await side.client.like(record.bulletin.ref, within, 1)) == {"FRA-2026-0002"}
    assert "FRA-2026-0003" not in refs(await side.client.like(record.bulletin.ref, within))
    assert refs(await side.client.like(record.bulletin.id, limit=2)) == {"FRA-2026-0002", "FRA-2026-0003"}
    assert len(await side.client.like(record.bulletin.ref, limit=1)) == 1
    with pytest.raises(LiaisonError) as refused:
        await side.client.like("FRA-2026-9999")
    assert refused.value.code is Code.NOT_FOUND


async def test_what_is_counted_keeps_to_its_filters(side: Side) -> None:
    await side.arrive(make_record(1, severity="high"))
    await side.arrive(make_record(2, kind="threat", tlp="TLP:AMBER"))
    span = Filters(tlp_at_most=Tlp.GREEN, since="2026-02-23T00:00:00Z", until="2026-03-09T00:00:00Z")
    counts = await side.client.counts(span)
    assert (counts.total, counts.kinds, counts.severities) == (1, {Kind.TACTIC: 1}, {Severity.HIGH: 1})
    assert [each.severities for each in counts.bars] == [{Severity.HIGH: 1}, {}]
    whole = await side.client.counts(span, "whole")
    assert (whole.total, whole.kinds, whole.severities) == (counts.total, counts.kinds, counts.severities)
    assert [each.model_dump() for each in whole.bars] == [
        {"at": span.since, "severities": {Severity.HIGH: 1}}
    ]
    with pytest.raises(LiaisonError) as refused:
        await side.client.counts(Filters(since=span.since))
    assert refused.value.code is Code.BAD_REQUEST


async def test_communities_are_listed(side: Side) -> None:
    assert [each.slug for each in await side.client.communities()] == [SLUG]


@pytest.mark.timeout(600)
async def test_the_feed_goes_on_behind_the_last_acknowledged(side: Side) -> None:
    first, second = make_record(1), make_record(2)
    await side.arrive(first)
    await side.arrive(second)
    async with asyncio.timeout(DEADLINE):
        feed = side.client.bulletins()
        incoming = await anext(feed)
        assert incoming.record == first
        await incoming.ack()
        assert (await anext(feed)).record == second
        await closed(feed)
    third = make_record(3)
    await side.arrive(third)
    async with asyncio.timeout(DEADLINE):
        feed = side.client.bulletins()
        seen: set[str] = set()
        while len(seen) < 2:
            incoming = await anext(feed)
            await incoming.ack()
            seen.add(incoming.record.bulletin.ref)
        await closed(feed)
    assert seen == {"FRA-2026-0002", "FRA-2026-0003"}


async def closed(feed: AsyncIterator[object]) -> None:
    """End an iterator, where it can be ended."""
    close = getattr(feed, "aclose", None)
    if close is not None:
        await close()
