"""A late joiner reads what the originators let later members have, and nothing else, on real processes: the
originator passes its keys on; while it is away, another holder does.
"""

import pytest

from schemas.vocabulary import Kind
from subscribers.client import Agency
from subscribers.records import Community, HistoryEntry, Record
from tests.support.world import Member, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def entry(agency: Agency, community: Community) -> HistoryEntry:
    """How far the history of a community has come."""
    return next(each for each in (await agency.history()).wanted if each.community == community.id)


async def read(member: Member, community: Community) -> HistoryEntry:
    """Ask for a community's history, and return when everything that may be read has been."""
    async with member.client() as agency:
        await agency.history_request(community.slug)

        async def done() -> bool:
            return (await entry(agency, community)).state == "done"

        await eventually(done)
        return await entry(agency, community)


async def records(member: Member, community: Community) -> dict[str, Record]:
    """What the agency holds of a community, by title."""
    async with member.client() as agency:
        page = await agency.latest(limit=100)
    return {each.bulletin.title: each for each in page.items if each.community == community.id}


async def test_a_late_joiner_reads_what_members_may_have_and_nothing_else(world: World) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    community = await fr.found(kz)
    slug = community.slug
    await fr.publish("For members", slug, history="members")
    await fr.publish("For those who were there", slug)
    await fr.publish("For members, flash", slug, history="members", severity="flash")
    wrong = await kz.publish("Wrong from the start", slug, history="members")
    await kz.publish("Taken back", slug, kind=Kind.RETRACTION, history="members", links=[
        {"relation": "retracts", "id": wrong.id}])  # fmt: skip
    await fr.has(slug, "Taken back")
    async with fr.client() as agency:
        await agency.community_add(slug, "gb", "reader")
    await gb.knows(slug)
    await fr.publish("After the joiner", slug)
    await gb.has(slug, "After the joiner")
    assert await gb.titles(slug) == ["After the joiner"]

    found = await read(gb, community)
    assert (found.opened, found.waiting, found.withheld, found.missing) == (4, 0, 1, 0)
    titles = ("For members", "For members, flash", "Wrong from the start", "Taken back")
    await gb.has(slug, *titles)
    held = await records(gb, community)
    assert {title for title, each in held.items() if "history" in each.flags} == set(titles)
    assert "For those who were there" not in held
    assert held["Wrong from the start"].state == "retracted"
    assert held["Wrong from the start"].agency == "kz"
    await fr.publish("And on it goes", slug, history="members")
    await gb.has(slug, "And on it goes")
    assert "history" not in (await records(gb, community))["And on it goes"].flags
    assert [each for each in await gb.quarantined() if each["community"] == community.id] == []
    async with fr.client() as agency:

        async def noted() -> bool:  # when the hub has said so: the reader may have the keys before that
            given = [each for each in (await agency.history()).given if each.community == community.id]
            return [(each.agency, each.epochs) for each in given] == [("gb", 2)]

        await eventually(noted)


async def test_another_holder_answers_while_the_originator_is_away(world: World) -> None:
    """And by the commands: `history request --wait`, `history status`, `doctor`."""
    fr, kz, jp = await world.agencies("fr", "kz", "jp")
    community = await fr.found(kz)
    slug = community.slug
    await kz.publish("From who is away", slug, history="members")
    await kz.publish("Kept, from who is away", slug)
    await fr.has(slug, "From who is away", "Kept, from who is away")
    async with fr.client() as agency:
        await agency.community_add(slug, "jp")
    await jp.knows(slug)
    await kz.node.stop()
    await jp.node.stop()
    hasty = jp.program(
        "env", "LIAISON_AGENCY_HISTORY_PATIENCE_SECONDS=1", *map(str, jp.node.words[:2]), "--json"
    )
    await hasty.start()
    try:
        done = await jp.run("history", "request", slug, "--wait")
        assert done.status == 0, done.err
        (found,) = (each for each in done.json["wanted"] if each["community"] == community.id)
        assert (found["state"], found["opened"], found["withheld"]) == ("done", 1, 1)
        await jp.has(slug, "From who is away")
        held = await records(jp, community)
        assert held["From who is away"].agency == "kz"
        assert "history" in held["From who is away"].flags
        checks = {each["check"]: each for each in (await jp.run("doctor")).json}
        assert checks["history"]["ok"]

        async def noted() -> bool:
            given = (await fr.run("history", "status")).json["given"]
            here = [each for each in given if each["community"] == community.id]
            return [(each["agency"], each["epochs"]) for each in here] == [("jp", 1)]

        await eventually(noted)
        refused = await kz_refusal(fr)
        assert refused == "not_member"
    finally:
        await hasty.stop()
        await world.agencies("kz", "jp")


async def kz_refusal(fr: Member) -> str:
    """What who is in no such community is told."""
    async with fr.client() as agency:
        elsewhere = await agency.community_create(f"{fr.id}-alone", "Alone")
        await agency.community_remove(elsewhere.slug, fr.id)
    return (await fr.run("history", "request", elsewhere.slug)).code
