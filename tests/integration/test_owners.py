"""Communities of several owners, over real processes and by the real commands."""

import asyncio
import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import nats
import pytest

from schemas.errors import Code, LiaisonError
from subscribers.client import Agency
from subscribers.owning.communities import Op
from subscribers.records import Community, MembershipChange, Proposal
from tests.support.world import DEADLINE, PATIENCE, Member, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def agreed(first: Member, second: Member, community: str, op: Op, agency: str) -> None:
    """A change proposed by one, signed and handed in by another, effective in five seconds; on a machine that
    takes longer to sign than that, in more.
    """
    size = await entries(first, community)
    await in_log(second, community, size)
    async with first.client() as one, second.client() as other:
        for after in (5_000, 20_000, 60_000):
            begun = await one.community_propose(community, op, agency, after=after)
            try:
                signed = await other.community_sign(begun.file)
                assert signed.lacking == 0
                await other.community_submit(signed.file)
            except LiaisonError as error:
                if error.code is not Code.EXPIRED:
                    raise
            else:
                return
    raise AssertionError("not signed and handed in within a minute")


async def changes(member: Member, community: str) -> list[MembershipChange]:
    """The entries of a log that the node has."""
    async with member.client() as agency:
        try:
            return await agency.community_log(community)
        except LiaisonError:
            return []


async def entries(member: Member, community: str) -> int:
    """How many there are."""
    return len(await changes(member, community))


async def together(first: Member, second: Member, third: Member, slug: str) -> str:
    """A community of three, two of whom must sign; its id, once all three know of it."""
    async with first.client() as one, second.client() as other:
        begun = await one.community_found(slug, "Cell", owners=[second.id, third.id], threshold=2)
        await other.community_submit((await other.community_sign(begun.file)).file)
    for member in (first, third):
        await owned(member, begun.community)
    return begun.community


async def owned(member: Member, community: str) -> None:
    """Return once the node has the community's document."""

    async def known() -> bool:
        async with member.client() as agency:
            return community in {each.id for each in await agency.communities()}

    await eventually(known)


async def in_log(member: Member, community: str, size: int) -> None:
    """Return once the node has so many entries of the log."""

    async def there() -> bool:
        return await entries(member, community) >= size

    await eventually(there)


async def out(member: Member, community: str, agency: str) -> None:
    """Return once the removal of an agency has taken effect."""

    async def gone() -> bool:
        async with member.client() as asked:
            (found,) = [each for each in await asked.communities() if each.id == community]
            return agency not in found.members

    await eventually(gone)


async def test_two_of_three_owners_found_a_community_by_the_commands(world: World, tmp_path: Path) -> None:
    fr, kz, gb, us = await world.agencies("fr", "kz", "gb", "us")
    file = tmp_path / "founded.dsse"
    words = ("--title", "Founded", "--owner", "kz", "--owner", "gb", "--threshold", "2", "--out", str(file))
    begun = await fr.run("community", "create", "founded", *words)
    assert begun.status == 0, begun.err
    proposal = Proposal.model_validate(begun.json)
    assert (proposal.signed, proposal.may_sign, proposal.lacking) == (["fr"], ["kz", "gb"], 1)

    early = await fr.run("community", "submit", str(file))
    assert (early.status, early.code) == (1, "below_threshold")
    assert "1 more of: kz, gb" in early.err
    stranger = await us.run("community", "sign", str(file), "--yes")
    assert (stranger.status, stranger.code) == (1, "forbidden")
    twice = await fr.run("community", "sign", str(file), "--yes")
    assert (twice.status, twice.code) == (1, "already_known")
    unasked = await kz.run("community", "sign", str(file), given=b"n\n")
    assert unasked.status == 1
    sign = ("community", "sign", str(file), "--state", kz.state)
    shown = await world.command("liaison-agency", *sign, given=b"y\n")
    assert shown.status == 0, shown.err
    assert "Found the live community" in shown.out
    assert "Signed by: fr, kz" in shown.out
    handed = await kz.run("community", "submit", str(file))
    assert handed.status == 0, handed.err
    await owned(gb, proposal.community)
    again = await gb.run("community", "submit", str(file))
    assert (again.status, again.code) == (1, "already_known")
    await owned(fr, proposal.community)
    refused = await fr.run("community", "add", "founded", "fr")
    assert (refused.status, refused.code) == (1, "below_threshold")
    (told,) = [each for each in (await gb.run("notices")).json if each["community"] == proposal.community]
    assert (told["kind"], told["by"], told["threshold"]) == ("community", ["fr", "kz", "gb"], 2)
    wrong = await fr.run("community", "create", "other", "--title", "Other", "--threshold", "2")
    assert wrong.status == 2


async def test_of_several_agencies_none_is_let_in_for_one_wrong_name(world: World) -> None:
    fr, _, _ = await world.agencies("fr", "kz", "gb")
    await fr.run("community", "create", "several", "--title", "Several")
    add = ("community", "add", "several")
    wrong = await fr.run(*add, "kz", "nobody", "gb")
    assert (wrong.status, wrong.code) == (1, "unknown_agency")
    assert "no agency is called nobody" in wrong.err
    assert await entries(fr, "several") == 1
    assert (await fr.run(*add, "kz")).status == 0
    right = await world.command("liaison-agency", *add, "kz", "gb", "--state", fr.state)
    assert right.status == 0, right.err
    assert "Let in: gb. Already in: kz." in right.out
    assert await entries(fr, "several") == 3
    again = await fr.run(*add, "kz", "gb")
    assert (again.status, again.code) == (1, "already_known")
    as_reader = await fr.run(*add, "kz", "gb", "--reader")
    assert as_reader.status == 0, as_reader.err
    assert [(each.agency, each.role) for each in (await changes(fr, "several"))[3:]] == [
        ("kz", "reader"),
        ("gb", "reader"),
    ]


async def test_two_of_three_owners_let_in_and_put_out(world: World, tmp_path: Path) -> None:
    fr, kz, gb, us = await world.agencies("fr", "kz", "gb", "us")
    cell = await together(fr, kz, gb, "cell")
    for number, who in enumerate(("fr", "kz", "us")):
        await agreed(fr, gb, cell, "add", who)
        await in_log(fr, cell, number + 1)
    for member in (fr, kz, us):
        await member.knows("cell")
    await fr.publish("Between us", "cell")
    await us.has("cell", "Between us")

    stale = tmp_path / "stale"
    begun = await fr.run("community", "propose", "remove", "cell", "us", "--out", str(stale))
    assert begun.status == 0, begun.err
    await in_log(kz, cell, 3)
    await agreed(kz, gb, cell, "remove", "us")
    for member in (fr, kz, us):
        await in_log(member, cell, 4)
    late = await kz.run("community", "sign", str(stale), "--yes")
    assert (late.status, late.code) == (1, "not_next")
    assert "propose it again" in late.err

    await out(fr, cell, "us")
    await fr.publish("Without them", "cell")
    await kz.has("cell", "Between us", "Without them")
    other = await fr.found(us)
    await fr.publish("A sign", other.slug)
    await us.has(other.slug, "A sign")
    assert "Without them" not in await us.titles("cell")

    log = (await us.run("community", "log", "cell")).json
    assert [(each["op"], each["agency"], each["by"]) for each in log] == [
        ("add", "fr", ["fr", "gb"]),
        ("add", "kz", ["fr", "gb"]),
        ("add", "us", ["fr", "gb"]),
        ("remove", "us", ["kz", "gb"]),
    ]
    # The removed one was told, by whom and from when on; the joiner is not told of what was before it.
    told = [each for each in (await us.run("notices")).json if each["community"] == cell]
    assert [(each["op"], each["agency"], each["by"]) for each in told] == [
        ("remove", "us", ["kz", "gb"]),
        ("add", "us", ["fr", "gb"]),
    ]
    assert told[0]["effective"] == log[3]["effective"]
    for words, said in (
        (("notices",), "was removed from cell by kz, gb, effective"),
        (("community", "log", "cell"), "kz, gb"),
    ):
        shown = await world.command("liaison-agency", *words, "--state", us.state)
        assert said in shown.out


async def with_one_to_come(fr: Member, kz: Member, agency: Agency, seconds: int) -> Community | None:
    """A community that `gb` will be in after so many seconds, with a bulletin from before; None where it took
    longer to say that.
    """
    community = await fr.found(kz)
    begun = time.time()
    changed = await agency.community_add(community.slug, "gb", after=1000 * seconds)
    await fr.publish("Before", community.slug)
    if time.time() >= begun + seconds:
        return None
    assert "gb" not in changed.members
    return community


async def test_a_member_to_come_reads_nothing_before_its_time(world: World) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    async with fr.client() as agency:
        # The longer time is for a machine on which the shorter one says nothing.
        community = await with_one_to_come(fr, kz, agency, 9) or await with_one_to_come(fr, kz, agency, 45)
        assert community, "the machine is too slow for this test to say anything"

        async def joined() -> bool:
            (found,) = [each for each in await agency.communities() if each.id == community.id]
            return "gb" in found.members

        await eventually(joined)
    # The card is sealed again at its time, without anybody's doing.
    await gb.knows(community.slug)
    await fr.publish("After", community.slug)
    await gb.has(community.slug, "After")
    await kz.has(community.slug, "Before", "After")
    assert await gb.titles(community.slug) == ["After"]
    assert [each for each in await gb.quarantined() if each["community"] == community.id] == []


async def test_an_agency_may_demand_notice(world: World, tmp_path: Path) -> None:
    _, sa = await world.agencies("kz", "sa")
    await sa.node.stop()
    command = Path(sys.executable).parent / "liaison-agency"
    settings = ("LIAISON_AGENCY_ADD_DELAY_HOURS=1", "LIAISON_AGENCY_METRICS_PORT=0")
    sa.node = sa.program("/usr/bin/env", *settings, command, "run", "--json")
    await sa.start()
    own = await sa.found()
    await watched(sa)
    for words in (
        ("add", own.slug, "kz", "--after", "59m"),
        ("propose", "add", own.slug, "kz", "--after", "59m", "--out", str(tmp_path / "kz")),
    ):
        hasty = await sa.run("community", *words)
        assert (hasty.status, hasty.code) == (1, "forbidden")
        assert "--after 1h" in hasty.err
    in_time = await sa.run("community", "add", own.slug, "kz")
    assert in_time.status == 0, in_time.err
    await in_log(sa, own.id, 2)
    # The hub serves a newcomer the log only shortly before its time; who is in hears of it now.
    (added, *_) = [each for each in (await sa.run("notices")).json if each["community"] == own.id]
    assert (added["agency"], added["op"]) == ("kz", "add")
    lead = datetime.fromisoformat(added["effective"]) - datetime.fromisoformat(added["at"])
    assert timedelta(minutes=50) < lead <= timedelta(hours=1)
    assert (await sa.run("community", "add", own.slug, "kz", "--after", "soon")).code == "bad_request"


async def watched(member: Member) -> None:
    """Whoever watches machines is told that the node is well, knows its hub, and hears of agencies."""
    wanted = (
        "liaison_node_hub_connected 1.0\n",
        'liaison_node_feed_waiting{feed="traffic"}',
        f'liaison_node_last_heard_timestamp_seconds{{agency="{member.id}"}}',
    )
    async with aiohttp.ClientSession(member.node.ready["metrics"]) as session:

        async def told() -> bool:
            async with session.get("/metrics") as answer:
                text = await answer.text()
            assert member.endpoint not in text
            return all(each in text for each in wanted)

        await eventually(told)
        async with session.get("/readyz") as answer:
            assert await answer.text() == "ready\n"


@pytest.mark.parametrize("words", [("log", "nowhere"), ("sign", "nothing.dsse", "--yes")])
async def test_what_is_not_there(world: World, words: tuple[str, ...]) -> None:
    fr = await world.agency("fr")
    result = await fr.run("community", *words)
    assert (result.status, result.code) == (1, "unknown_community" if words[0] == "log" else "not_found")


async def test_notices_are_live_on_the_local_subjects(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    url = (kz.state / "local" / "url").read_text().strip()
    seed = kz.state / "local" / "clients" / "plain.nk"
    nc = await nats.connect(
        url,
        nkeys_seed=str(seed),
        inbox_prefix="_INBOX",
        allow_reconnect=False,
        connect_timeout=PATIENCE,
    )
    try:
        heard = await nc.subscribe("notice.*")
        await nc.flush()
        community = await fr.found(kz)
        async with asyncio.timeout(DEADLINE):
            while (told := json.loads((message := await heard.next_msg(DEADLINE)).data))[
                "kind"
            ] != "membership":
                pass
    finally:
        await nc.close()
    told = json.loads(message.data)
    # The name comes sealed, after the entry that lets us in: until then it goes by its id.
    assert message.subject == f"notice.{community.id}"
    assert (told["op"], told["agency"], told["by"], told["index"]) == ("add", "kz", ["fr"], 1)
