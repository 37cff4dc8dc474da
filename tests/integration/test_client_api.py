"""The client library against the real service on a real local NATS, with a node in memory behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from schemas.bulletin import parse_draft
from schemas.encoding import canonical_json
from schemas.errors import Code, LiaisonError, OperationError
from schemas.vocabulary import Kind, Realm, Severity, Tlp
from subscribers.api import WhoAmI
from subscribers.client import Agency, ClientSettings
from subscribers.feed import Delivery
from subscribers.link import Link
from subscribers.local import ClientIdentity, LocalNats, LocalSettings, Role
from subscribers.records import Community, Filters, Page
from subscribers.requester import Requester
from subscribers.service.answering import NodeService
from tests.support.local_nats import DEADLINE, collect, connected, running_node
from tests.support.node_api import COMMUNITY, MemoryNode, make_draft, make_record


class Reader:
    """Takes deliveries and acknowledges them."""

    def __init__(self, feed: AsyncIterator[Delivery]) -> None:
        self._feed = feed

    async def take(self, count: int) -> list[Delivery]:
        """The next `count`."""
        found: list[Delivery] = []
        async with asyncio.timeout(DEADLINE):
            for _ in range(count):
                found.append(await anext(self._feed))
                await found[-1].ack()
        return found


@asynccontextmanager
async def reader(agency: Agency, kinds: set[str] | None = None) -> AsyncIterator[Reader]:
    """A running `bulletins()`, left in good order."""
    async with aclosing(agency.bulletins(kinds=kinds)) as feed:
        yield Reader(feed)


async def take(agency: Agency, count: int) -> list[Delivery]:
    """The first `count` deliveries of a reader that then leaves."""
    async with reader(agency) as reading:
        return await reading.take(count)


def mode(path: Path) -> int | None:
    """The permissions of a file, None where there is none."""
    return path.stat().st_mode & 0o777 if path.exists() else None


async def refusal(awaitable: object) -> LiaisonError:
    with pytest.raises(LiaisonError) as caught:
        await awaitable  # type: ignore[misc] # any coroutine
    return caught.value


async def test_a_client_publishes_searches_shows_and_acknowledges(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client() as agency:
        assert (agency.name, agency.role, agency.ceiling) == ("bot", Role.PUBLISHER, Tlp.AMBER)
        published = await agency.publish(make_draft("Water under the bridge"), "alpha")
        assert (published.state, published.community) == ("queued", COMMUNITY)

        page = await agency.search("bridge", filters=Filters(kinds=frozenset({Kind.TACTIC})), ranked=True)
        assert [each.bulletin.ref for each in page.items] == [published.ref]
        record = await agency.show(published.ref)
        assert record.bulletin.title == "Water under the bridge"
        assert await agency.show(published.id) == record

        acknowledged = await agency.acknowledge(published.ref, note="seen", officer="Officer 7")
        assert (await agency.show(acknowledged.ref)).bulletin.summary == "seen"
        seen = "2026-11-22T06:00:00Z"
        sighted = await agency.sight(published.ref, regions=["KZ-ALA"], seen=seen, private=True)
        found = await agency.replies(published.ref)
        assert [each.bulletin.ref for each in found] == [sighted.ref, acknowledged.ref]
        assert (found[0].bulletin.regions, found[0].bulletin.valid_from) == (["KZ-ALA"], seen)
        assert [sorted(each.flags) for each in found] == [["private"], []]
        assert [each.slug for each in await agency.communities()] == ["alpha"]
        assert (await agency.status()).archived == 3


async def test_pages_are_followed_by_their_cursor(tmp_path: Path) -> None:
    records = [make_record(number) for number in range(25)]
    async with running_node(tmp_path, MemoryNode(records)) as node, node.client() as agency:
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = await agency.latest(limit=10, cursor=cursor)
            seen += [each.bulletin.ref for each in page.items]
            if (cursor := page.cursor) is None:
                break
        assert seen == [each.bulletin.ref for each in reversed(records)]


async def test_a_full_page_of_the_largest_bulletins_fits(tmp_path: Path) -> None:
    records = [make_record(number, body="€" * 20_000) for number in range(100)]
    async with running_node(tmp_path, MemoryNode(records)) as node, node.client() as agency:
        assert len((await agency.latest(limit=100)).items) == 100


async def test_owner_and_administrator_verbs(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client("desk", Role.ADMIN, Tlp.RED) as agency:
        created = await agency.community_create("games", "The Games", realm=Realm.EXERCISE, rules="none")
        assert (created.slug, created.realm) == ("games", Realm.EXERCISE)
        assert (await agency.community_add("games", "de-bfx")).members == ["fr-dgx", "de-bfx"]
        assert (await agency.community_remove("games", "de-bfx")).members == ["fr-dgx"]
        await agency.publish(make_draft(), "alpha")
        assert (await agency.digest("alpha", "day")).state == "queued"
        assert [each.code for each in await agency.quarantine()] == ["fork"]
        assert [each.fix for each in await agency.doctor()] == ["set the clock"]

        added = await agency.client_add("siem", Role.READER, Tlp.GREEN)
        seed = node.directory / "clients" / "siem.nk"
        assert (Path(added.seed_file), mode(seed)) == (seed, 0o600)
        assert [each.name for each in await agency.clients()] == ["desk", "siem"]
        await agency.client_remove("siem")
        assert mode(seed) is None
        assert [each.name for each in await agency.clients()] == ["desk"]


@pytest.mark.parametrize("ceiling", [Tlp.CLEAR, Tlp.AMBER])
async def test_no_verb_gives_a_record_above_the_ceiling(tmp_path: Path, ceiling: Tlp) -> None:
    records = [make_record(rank, tlp=tlp) for rank, tlp in enumerate(Tlp)]
    secret = records[-1].bulletin
    async with (
        running_node(tmp_path, MemoryNode(records)) as node,
        node.client("bot", Role.PUBLISHER, ceiling) as agency,
    ):
        wide = Filters(tlp_at_most=Tlp.RED)
        allowed = {each.bulletin.ref for each in records if each.bulletin.tlp.rank <= ceiling.rank}
        for page in (
            await agency.latest(wide, limit=100),
            await agency.search("Bulletin", filters=wide, limit=100),
        ):
            assert {each.bulletin.ref for each in page.items} == allowed
            assert page.total == len(allowed)
        span = wide.model_copy(update={"since": "2026-02-23T00:00:00Z", "until": "2026-03-09T00:00:00Z"})
        assert (await agency.counts(span)).total == len(allowed)
        alike = {each.bulletin.ref for each in await agency.like(records[0].bulletin.ref, wide, limit=25)}
        assert alike == allowed - {records[0].bulletin.ref}

        # Word for word what is said of a bulletin that does not exist.
        asked = (
            agency.show(secret.ref),
            agency.acknowledge(secret.id),
            agency.sight(secret.id, private=True),
            agency.replies(secret.id),
            agency.provenance(secret.ref),
            agency.like(secret.ref),
        )
        hidden = [await refusal(each) for each in asked]
        absent = await refusal(agency.show("FRA-2026-9999"))
        assert {each.code for each in [*hidden, absent]} == {Code.NOT_FOUND}
        assert {str(each) for each in hidden} == {str(absent)}
        assert len(node.api.records) == len(records)


class Careless(MemoryNode):
    """A node that forgets the ceiling it was told."""

    async def latest(self, client: ClientIdentity, filters: Filters, limit: int, cursor: str | None) -> Page:
        wide = filters.model_copy(update={"tlp_at_most": Tlp.RED})
        return await super().latest(client, wide, limit, cursor)


async def test_an_answer_above_the_ceiling_is_withheld_whole(tmp_path: Path) -> None:
    api = Careless([make_record(1, tlp=Tlp.RED)])
    async with running_node(tmp_path, api) as node, node.client() as agency:
        assert (await refusal(agency.latest())).code is Code.INTERNAL


async def test_what_the_role_does_not_allow_is_forbidden(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client("siem", Role.READER) as agency:
        for asked in (
            agency.publish(make_draft(), "alpha"),
            agency.acknowledge("FRA-2026-0001"),
            agency.sight("FRA-2026-0001"),
            agency.community_add("alpha", "de-bfx"),
            agency.quarantine(),
            agency.client_add("other"),
        ):
            assert (await refusal(asked)).code is Code.FORBIDDEN
        assert node.api.records == []


async def test_a_role_that_changes_is_felt_at_once(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client("siem", Role.PUBLISHER, Tlp.GREEN) as agency:
        await agency.publish(make_draft(tlp="TLP:AMBER"), "alpha")
        await node.local.set_client("siem", Role.READER, Tlp.AMBER)
        assert len((await agency.latest()).items) == 1
        assert (await refusal(agency.publish(make_draft(), "alpha"))).code is Code.FORBIDDEN
        assert agency.role is Role.READER
        await node.local.set_client("siem", Role.PUBLISHER, Tlp.AMBER)
        assert (await agency.publish(make_draft(), "alpha")).state == "queued"


async def test_the_node_s_own_refusals_keep_their_code_and_fix(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client() as agency:
        error = await refusal(agency.publish(make_draft(), "nowhere"))
        assert (error.code, error.fix) == (Code.UNKNOWN_COMMUNITY, "use its slug or id")
        assert (await refusal(agency.latest(limit=0))).code is Code.BAD_REQUEST
        assert (await refusal(agency.search("x" * 600))).code is Code.BAD_REQUEST
        unmarked = await refusal(asyncio.to_thread(parse_draft, {"kind": "tactic"}))
        assert unmarked.code is Code.MISSING_MARKING


async def test_bulletins_come_in_order_and_filtered(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client() as agency:
        records = [
            make_record(n, kind="tactic" if n % 3 else "threat", severity=Severity.HIGH) for n in range(60)
        ]
        above = make_record(99, tlp=Tlp.RED)
        await node.local.republish([*records[:30], above, *records[30:]])
        async with reader(agency, {"threat"}) as reading:
            found = await reading.take(20)
            threat = make_record(100, kind="threat")
            await node.local.republish([make_record(99), threat])
            assert [each.record for each in await reading.take(1)] == [threat]
        assert [each.record for each in found] == [
            each for each in records if each.bulletin.kind is Kind.THREAT
        ]
        assert {each.subject for each in found} == {"bulletin.live.alpha.threat.high.green"}
        assert not any(each.repeated for each in found)


async def test_what_is_not_acknowledged_comes_again_marked(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client() as agency:
        record = make_record()
        await node.local.republish([record])
        seen: list[bool] = []
        async with asyncio.timeout(DEADLINE):
            async for delivery in agency.bulletins():
                assert delivery.record == record
                seen.append(delivery.repeated)
                if len(seen) == 2:
                    await delivery.ack()
                    break
                await delivery.retry(0.01)
        assert seen == [False, True]


async def test_what_a_reader_had_not_come_to_is_there_for_the_next(tmp_path: Path) -> None:
    """At once, and not after the durable's ack wait."""
    async with running_node(tmp_path) as node, node.client() as agency:
        found: list[str] = []
        for first in range(0, 100, 20):
            await node.local.republish([make_record(number) for number in range(first, first + 20)])
            found += [each.record.bulletin.ref for each in await take(agency, 10)]
        found += [each.record.bulletin.ref for each in await take(agency, 50)]
        assert sorted(found) == [f"FRA-2026-{number:04d}" for number in range(100)]


async def test_a_client_that_vanishes_swallows_nothing(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        settings = await node.settings()
        async with connected(node.local, tmp_path, "bot") as lost:
            ask = b'{"batch": 100, "expires": 60000000000}'
            pulled = await collect(lost.nc, "_INBOX.lost")
            await lost.nc.publish("$JS.API.CONSUMER.MSG.NEXT.BULLETINS.bot", ask, reply="_INBOX.lost")
            await node.local.republish([make_record(1)])
            await (await pulled.get()).ack()
        await node.local.republish([make_record(2)])
        async with Agency.open(settings) as agency:
            assert [each.record.bulletin.ref for each in await take(agency, 1)] == ["FRA-2026-0002"]


async def test_what_a_vanished_client_left_comes_first_and_at_once(tmp_path: Path) -> None:
    """And not behind what is newer, after the durable's ack wait."""
    async with running_node(tmp_path) as node:
        settings = await node.settings()
        async with connected(node.local, tmp_path, "bot") as lost:
            ask = b'{"batch": 100, "expires": 60000000000}'
            pulled = await collect(lost.nc, "_INBOX.lost")
            await lost.nc.publish("$JS.API.CONSUMER.MSG.NEXT.BULLETINS.bot", ask, reply="_INBOX.lost")
            await node.local.republish([make_record(number) for number in (1, 2, 3)])
            received = [await pulled.get() for _ in range(3)]
            await received[0].ack_sync(DEADLINE)
            # No further back than to what was acknowledged, whatever is asked for.
            answer = await lost.nc.request("feed.back", b'{"seq": 1}', timeout=DEADLINE)
            assert "error" in json.loads(answer.data)
        await node.local.republish([make_record(4)])
        async with Agency.open(settings) as agency:
            found = [each.record.bulletin.ref for each in await take(agency, 3)]
        assert found == [f"FRA-2026-{number:04d}" for number in (2, 3, 4)]


async def test_a_second_reader_of_the_same_agency_is_refused(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client() as agency:
        await node.local.republish([make_record()])
        async for delivery in agency.bulletins():
            await delivery.ack()
            other = agency.bulletins()
            assert (await refusal(anext(other))).code is Code.BAD_REQUEST
            break


class SlowHub(MemoryNode):
    """A node that answers when the hub does."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = asyncio.Event()

    async def community_remove(
        self, client: ClientIdentity, community: str, agency: str, after: int | None
    ) -> Community:
        await self.hub.wait()
        return await super().community_remove(client, community, agency, after)

    async def latest(self, client: ClientIdentity, filters: Filters, limit: int, cursor: str | None) -> Page:
        await self.hub.wait()
        return await super().latest(client, filters, limit, cursor)


async def test_a_slow_hub_is_waited_for_and_a_slow_node_is_not(tmp_path: Path) -> None:
    api = SlowHub()
    async with running_node(tmp_path, api) as node, asyncio.timeout(DEADLINE):
        settings = (await node.settings(role=Role.OWNER)).model_copy(update={"timeout": 0.2})
        async with Agency.open(settings) as agency:
            changing = asyncio.create_task(agency.community_remove("alpha", "kz-cab"))
            assert (await refusal(agency.latest())).code is Code.NODE_UNREACHABLE
            assert not changing.done()
            api.hub.set()
            assert (await changing).slug == "alpha"


async def test_a_busy_node_that_was_found_has_longer_to_say_who_we_are(tmp_path: Path) -> None:
    async with LocalNats.open(LocalSettings(directory=tmp_path)) as local:
        await local.add_client("bot")
        known = WhoAmI(name="bot", role=Role.READER, ceiling=Tlp.GREEN, verbs=())
        node = await local.connection()

        async def answer(asked: Msg) -> None:
            await asyncio.sleep(0.1)  # longer than it may take to find the node
            await asked.respond(canonical_json({"result": known.model_dump(mode="json")}))

        await node.subscribe("node.whoami.*", cb=answer)
        settings = ClientSettings.from_directory(tmp_path, "bot")
        away = OperationError(Code.NODE_UNREACHABLE, "away")
        link = Link(settings.url, settings.seed_file.read_bytes().strip(), "bot", unreachable=away)
        link.start()
        try:
            asking = Requester(link, settings.url)
            for reach in (DEADLINE, 0.02):  # once the way is there
                assert await asking.introduce(reach, DEADLINE) == known
        finally:
            await link.close()


async def test_everything_survives_a_restart_of_the_node(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        settings = await node.settings()
        await node.local.republish([make_record(1)])
    async with asyncio.timeout(DEADLINE), running_node(tmp_path) as node:
        assert node.local.url == settings.url
        async with Agency.open(settings) as agency:
            assert [each.record.bulletin.ref for each in await take(agency, 1)] == ["FRA-2026-0001"]


async def test_a_reader_rides_out_a_restart_of_the_node(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        settings = await node.settings()
    async with asyncio.timeout(DEADLINE):
        async with running_node(tmp_path) as node:
            opened = Agency.open(settings)
            agency = await opened.__aenter__()
            first = asyncio.create_task(take(agency, 2))
            await node.local.republish([make_record(1)])
        async with running_node(tmp_path) as node:
            await node.local.republish([make_record(2)])
            assert [each.record.bulletin.ref for each in await first] == ["FRA-2026-0001", "FRA-2026-0002"]
            assert (await agency.status()).archived == 0
            await opened.__aexit__(None, None, None)


async def test_a_removed_client_is_cut_off(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node, node.client() as agency:
        reading = asyncio.create_task(take(agency, 1))
        await agency.status()
        await node.local.remove_client("bot")
        async with asyncio.timeout(DEADLINE):
            assert (await refusal(reading)).code is Code.FORBIDDEN
        assert (await refusal(agency.status())).code is Code.FORBIDDEN


async def test_opening_tells_what_is_wrong(tmp_path: Path) -> None:
    directory = tmp_path / "local"
    async with LocalNats.open(LocalSettings(directory=directory)) as local:
        await local.add_client("bot")
        await local.add_client("siem")
        good = ClientSettings.from_directory(directory, "bot").model_copy(update={"open_timeout": 0.3})
        away = await refusal(Agency.open(good).__aenter__())
        assert (away.code, "liaison-agency run" in away.fix) == (Code.NODE_UNREACHABLE, True)
        async with NodeService(local, MemoryNode()):
            other = good.model_copy(update={"seed_file": directory / "clients" / "siem.nk"})
            assert (await refusal(Agency.open(other).__aenter__())).code is Code.BAD_SETTINGS
    assert (await refusal(Agency.open(good).__aenter__())).code is Code.NODE_UNREACHABLE
    missing = good.model_copy(update={"seed_file": tmp_path / "none.nk"})
    assert (await refusal(Agency.open(missing).__aenter__())).code is Code.NOT_FOUND
    junk = tmp_path / "junk.nk"
    junk.write_text("not a seed")
    junk.chmod(0o600)
    assert (
        await refusal(Agency.open(good.model_copy(update={"seed_file": junk})).__aenter__())
    ).code is Code.BAD_SETTINGS
    good.seed_file.chmod(0o644)
    assert (await refusal(Agency.open(good).__aenter__())).code is Code.FORBIDDEN
