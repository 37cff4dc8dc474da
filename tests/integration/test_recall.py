"""Replies for the originator alone, and what becomes of what is withdrawn, between real agencies."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats
import pytest

from bots.officers.roles import Role
from bots.sandbox.client import SandboxUser
from schemas.errors import LiaisonError
from schemas.vocabulary import Language
from subscribers.records import Community, Compliance, Filters, Published, Record
from subscribers.storage.lane import connect
from tests.support.officers_bot import BotStage, buttons, pressed, running_bot, says, text_of
from tests.support.world import DEADLINE, PATIENCE, Member, World, draft, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

MARKER = "zirconium"
"""A word that stands in a private reply and nowhere else."""
WITHDRAWN = "palladium"
"""A word that is taken back."""
ONCE = "019c132c-df40-7a10-8b5e-00000000d0ce"


def holds(member: Member, word: str) -> list[str]:
    """The tables of a node's store in which a word stands, as text or in bytes."""
    connection = connect(member.state / "node.db", bytes(member.keys.archive))
    try:
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'terms%'"
        tables = [str(name) for (name,) in connection.execute(sql).fetchall()]
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608
    finally:
        connection.close()
    return [name for name, found in rows.items() if word in str(found)]


async def answers(member: Member, ref: str, wanted: int) -> list[Record]:
    """What the agency holds of answers to a bulletin, once there are so many."""
    async with member.client() as agency:

        async def there() -> bool:
            return len(await agency.replies(ref)) == wanted

        await eventually(there)
        return await agency.replies(ref)


async def test_a_private_reply_is_read_by_its_originator_alone(world: World) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    community = await fr.found(kz, gb)
    said = await fr.publish("Who has seen this drone?", community.slug)
    await kz.has(community.slug, "Who has seen this drone?")
    before = {each["number"] for each in await gb.quarantined()}
    first = await kz.run("ack", said.ref, "--private", "--note", f"It is {MARKER}")
    where = ("--region", "KZ-ALA", "--seen", "2026-11-22T06:00:00Z")
    second = await kz.run("sight", said.ref, "--private", "--note", f"Of {MARKER}", *where)
    for each in (first, second):
        assert await kz.settled(Published.model_validate(each.json)) is None, each.err
    async with kz.client() as agency:
        link = {"relation": "sights", "id": said.id}
        seen = draft(f"Three of {MARKER}", kind="sighting", links=[link])
        third = await agency.publish(seen, community.slug, once=ONCE, private=True)
        assert (await agency.publish(seen, community.slug, once=ONCE, private=True)).id == third.id
    public = await kz.run("sight", said.ref, "--note", "This one is for all")
    assert public.status == 0, public.err
    # The hub keeps one order: what came before this is with everybody who has this.
    await gb.has(community.slug, f"Sighted: {said.ref}")

    for member, own in ((fr, False), (kz, True)):
        found = await answers(member, said.ref, 4)
        private = {each.bulletin.ref: each for each in found if "private" in each.flags}
        assert set(private) == {first.json["ref"], second.json["ref"], third.ref}
        assert {(each.agency, each.own) for each in private.values()} == {("kz", own)}
        sighting = private[second.json["ref"]].bulletin
        assert (sighting.regions, sighting.valid_from) == (["KZ-ALA"], "2026-11-22T06:00:00Z")
        assert holds(member, MARKER)
        await member.has(community.slug, f"Acknowledged: {said.ref}")  # the sink and the local stream too
    shown = await fr.world.command("liaison-agency", "show", said.ref, "--state", fr.state)
    assert (shown.out.count("PRIVATE"), MARKER in shown.out) == (3, True)

    # The other member has taken the frames: nothing refused, nothing missing, nothing to read.
    (theirs,) = await answers(gb, said.ref, 1)
    assert theirs.bulletin.body == "This one is for all"
    assert theirs.flags == set()
    assert {each["number"] for each in await gb.quarantined()} == before
    assert holds(gb, MARKER) == []
    async with gb.client() as agency:
        assert (await agency.search(MARKER)).items == []
        assert [each for each in await agency.alarms() if each.community == community.id] == []
    kept = [
        path for path in world.state.rglob("*") if path.is_file() and MARKER.encode() in path.read_bytes()
    ]
    assert kept == []

    # Whoever can read it can show a third party who said it, and what.
    file = world.directory / "private.json"
    exported = await fr.run("evidence", "export", first.json["ref"], "--out", str(file))
    assert exported.status == 0, exported.err
    words = ("liaison-verify", str(file), "--root-fingerprint", world.fingerprint, "--json")
    verdict = await world.command(*words)
    assert verdict.status == 0, verdict.err
    text = next(each for each in json.loads(verdict.out)["findings"] if each["check"] == "text")
    assert (text["status"], "private reply" in text["text"]) == ("proved", True)


async def test_a_private_reply_that_nobody_could_read_is_refused(world: World) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    community = await fr.found(kz, gb)
    own = await kz.publish("Our own word", community.slug)
    theirs = await gb.publish("From who is leaving", community.slug)
    await kz.has(community.slug, "Our own word", "From who is leaving")
    ours = await kz.run("ack", own.ref, "--private")
    assert (ours.status, ours.code) == (1, "bad_request")
    async with fr.client() as agency:
        await agency.community_remove(community.slug, "gb")
    async with kz.client() as agency:

        async def gone() -> bool:
            return all(
                "gb" not in each.members for each in await agency.communities() if each.id == community.id
            )

        await eventually(gone)
    late = await kz.run("ack", theirs.ref, "--private")
    assert (late.status, late.code) == (1, "no_reader")
    assert (await kz.run("ack", theirs.ref)).status == 0


async def digest_since(member: Member, slug: str, begun: datetime) -> dict[str, Any]:
    """The digest of what has come to a community since then, up to now."""
    until = datetime.now(UTC) + timedelta(seconds=1)

    async def over() -> bool:
        return datetime.now(UTC) > until

    await eventually(over)
    period = "/".join(each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (begun, until))
    made = await member.run("digest", "--community", slug, "--period", period)
    assert made.status == 0, made.err
    found: dict[str, Any] = made.json
    return found


async def corrected(member: Member, slug: str, title: str) -> None:
    """Return once the archive has a bulletin whose title begins so."""

    async def there() -> bool:
        return any(each.startswith(title) for each in await member.titles(slug))

    await eventually(there)


async def withdrawn_from(member: Member, digest: str, ref: str) -> None:
    """That the digest is amended, and how."""
    async with member.client() as agency:
        amended = await agency.show(digest)
        assert amended.state == "amended"
        now = (await agency.show(str(amended.replaced_by))).bulletin
    assert f"{ref} · withdrawn by its originator" in now.body
    assert "Something else" in now.body
    assert WITHDRAWN not in now.model_dump_json()


async def reported_once(member: Member, community: str) -> None:
    """That two changes, the retraction and the digest's amendment, are each in one report."""
    connection = connect(member.state / "node.db", bytes(member.keys.archive))

    async def both() -> bool:
        told = "SELECT count(*), count(nullif(report, '')) FROM changes WHERE community = ?"
        return connection.execute(told, (community,)).fetchall() == [(2, 2)]

    try:
        await eventually(both)
        sql = """SELECT count(*) FROM outgoing WHERE kind = 'b' AND ref = '' AND community = ?
            AND id NOT IN (SELECT report FROM changes WHERE report IS NOT NULL)"""
        assert connection.execute(sql, (community,)).fetchall() == [(0,)]
    finally:
        connection.close()


async def confirmed(member: Member, ref: str, *agencies: str) -> Compliance:
    """How the newest change of a bulletin stands, once these agencies say that they have applied it."""
    async with member.client() as agency:

        async def there() -> bool:
            (newest, *_) = await agency.compliance(ref)
            return set(agencies) == {each.agency for each in newest.members if each.state == "applied"}

        await eventually(there)
        return (await agency.compliance(ref))[0]


class Chat:
    """An agency's officer, who is told of everything in one community."""

    def __init__(self, bot: BotStage) -> None:
        self._bot = bot
        self._client = bot.client
        self._ed = bot.person("Ed")

    async def told(self, text: str) -> dict[str, Any]:
        """The message that has this text, once it is there."""
        return await self._ed.next_message(says(text), DEADLINE)

    async def digest(self) -> dict[str, Any]:
        """What the bot answers to who asks for everything since the last one."""
        return await self._ed.ask("/digest now", DEADLINE)

    async def changed(self, message: dict[str, Any], *texts: str) -> None:
        """Return once a message that was sent before has these texts."""

        def there() -> dict[str, Any] | None:
            now = self._ed.messages[message["message_id"]]
            return now if all(each in str(now.get("text")) for each in texts) else None

        await self._client.until(there, f"message with {texts}", DEADLINE)

    async def officers(self, *names: str) -> list[SandboxUser]:
        """Those officers; who is not here yet comes as an administrator, and hears English."""
        for name in names:
            person = self._bot.person(name)
            if await self._bot.state.officers.by_person(person.id) is None:
                await self._bot.enrol(name, administrator=True)
                if officer := await self._bot.state.officers.by_person(person.id):
                    await self._bot.state.officers.set_language(officer.id, Language.ENGLISH)
        return [self._bot.person(each) for each in names]

    async def forgets(self, word: str) -> None:
        """Return once no message of the bot has a word."""

        def gone() -> dict[str, Any] | None:
            kept = (each for each in self._ed.messages.values() if not each.get("deleted"))
            return None if any(word in str(each.get("text")) for each in kept) else {}

        await self._client.until(gone, "end of the withdrawn text", DEADLINE)


@contextlib.asynccontextmanager
async def chat_of(member: Member, community: str, folder: Path) -> AsyncIterator[Chat]:
    """The bot on a member's node, and on a real server of the Bot API."""
    import bots.doors.telegram.app  # noqa: F401, PLC0415 - for seconds nothing answers a ping: before there is a connection

    async with member.client() as agency, running_bot(folder, agency) as bot:
        ed = await bot.enrol("Ed", role=Role.DRAFTER)
        officer = await bot.state.officers.by_person(ed.id)
        assert officer is not None
        await bot.state.officers.subscribe(officer.id, Filters(communities=frozenset({community})))
        yield Chat(bot)


async def test_a_change_reaches_everything_and_each_member_says_so_once(world: World, tmp_path: Path) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    community = await fr.found(kz, gb)
    async with chat_of(gb, community.id, tmp_path) as chat:
        await retract(world, community, chat)
        await amend(fr, community, chat)
        await report(kz, community, chat)


async def retract(world: World, community: Community, chat: Chat) -> None:
    """`fr` takes back what it said there; `kz` is killed on the way, and `gb` has an officer."""
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    begun = datetime.now(UTC) - timedelta(seconds=1)
    said = await fr.publish(f"Plates of {WITHDRAWN}", community.slug)
    await fr.publish("Something else", community.slug)
    for member in (fr, kz, gb):
        await member.has(community.slug, f"Plates of {WITHDRAWN}", "Something else")
    alert = await chat.told(f"Plates of {WITHDRAWN}")
    await chat.told("Something else")
    digest = await digest_since(fr, community.slug, begun)
    await chat.told(digest["ref"])
    listed = await chat.digest()
    assert WITHDRAWN in text_of(listed)
    url = (kz.state / "local" / "url").read_text().strip()
    seed = str(kz.state / "local" / "clients" / "plain.nk")
    nc = await nats.connect(url, nkeys_seed=seed, connect_timeout=PATIENCE)
    heard = await nc.subscribe(f"change.live.{community.slug}.threat.>")
    await nc.flush()
    links = [{"relation": "retracts", "id": said.id}]
    gone = await fr.publish("Withdrawn", community.slug, kind="retraction", links=links)
    change = json.loads((await heard.next_msg(DEADLINE)).data)
    await nc.close()
    # It is applied there, and not reported yet, or just so: either way it is reported once.
    await kz.node.kill()
    assert (change["bulletin"], change["change"], change["state"]) == (said.id, gone.id, "retracted")
    assert WITHDRAWN not in json.dumps(change)
    await kz.start()

    # The digest that listed it is corrected by who made it, once.
    title = "Corrected: Digest "
    for member in (fr, kz, gb):
        await corrected(member, community.slug, title)
        await withdrawn_from(member, digest["ref"], said.ref)
    await chat.changed(alert, f"⚫ {said.ref}", "Retracted")
    await chat.changed(listed, f"{said.ref} · RETRACTED", "Something else")
    await chat.forgets(WITHDRAWN)  # in the digest's own message as well
    found = await confirmed(fr, said.ref, "kz", "gb")
    assert [each.startswith(title) for each in await kz.titles(community.slug)].count(True) == 1
    assert (found.id, found.applied, found.waiting) == (gone.id, 2, 0)
    assert {(each.archive, each.local, each.sinks) for each in found.members} == {("applied",) * 3}
    (told,) = (await fr.run("compliance", gone.ref)).json
    assert {each["agency"] for each in told["members"]} == {"kz", "gb"}
    shown = await world.command("liaison-agency", "compliance", said.ref, "--state", fr.state)
    assert "2 of 2 have applied it" in shown.out
    async with kz.client() as agency:
        with pytest.raises(LiaisonError, match="bad_request"):
            await agency.compliance(said.ref)
        assert (await agency.show(said.ref)).state == "retracted"
        assert [
            each for each in (await agency.search(WITHDRAWN)).items if each.community == community.id
        ] == []
        assert [each for each in await agency.outbox() if each.community == community.id] == []
    lines = map(json.loads, kz.jsonl.read_text("utf-8").splitlines())
    written = [each["change"] for each in lines if "change" in each]
    assert [each["change"] for each in written if each["bulletin"] == said.id] == [gone.id]
    await reported_once(kz, community.id)


async def amend(fr: Member, community: Community, chat: Chat) -> None:
    """`fr` says something in other words."""
    stands = await fr.publish("Stands", community.slug)
    async with fr.client() as agency:
        assert (await agency.status()).unconfirmed == 0
        with pytest.raises(LiaisonError, match="not_found"):
            await agency.compliance(stands.ref)
    first = await chat.told("Stands")
    links = [{"relation": "amends", "id": stands.id}]
    await fr.publish("In other words", community.slug, kind="amendment", links=links)
    await chat.changed(first, "AMENDED since", "Stands")
    assert (await chat.told("In other words"))["reply_to"] == first["message_id"]


async def report(kz: Member, community: Community, chat: Chat) -> None:
    """An officer of `gb` writes a bulletin in chat, another one releases it, and both withdraw it."""
    ed, irina = await chat.officers("Ed", "Irina")
    shown = await ed.ask("/draft", DEADLINE)
    shown = await pressed(ed, "TLP:GREEN", shown)
    if community.title in buttons(shown):  # where the agency belongs to one alone, it is that one
        shown = await pressed(ed, community.title, shown)
    for answer in ("Threat", "Elevated", "Leave out"):
        shown = await pressed(ed, answer, shown)
    await ed.ask("Written in chat", DEADLINE)
    ref = await two_release(ed, irina, await ed.ask("By an officer.", DEADLINE))
    await kz.has(community.slug, "Written in chat")
    async with kz.client() as agency:
        bulletin = (await agency.show(ref)).bulletin
        assert (bulletin.drafter, bulletin.releaser) == ("officer-1", "officer-2")
    await pressed(ed, "Text", await ed.ask(f"/retract {ref}", DEADLINE))
    await two_release(ed, irina, await ed.ask("It was a kite.", DEADLINE))
    async with kz.client() as agency:

        async def withdrawn() -> bool:
            return (await agency.show(ref)).state == "retracted"

        await eventually(withdrawn)


async def two_release(ed: SandboxUser, irina: SandboxUser, home: dict[str, Any]) -> str:
    """Send a draft that is ready, and release it; its reference."""
    await ed.press("Preview", home)
    control = await ed.next_message(says("Another officer must release it"), DEADLINE)
    await pressed(ed, "Send for release", control)
    asked = await irina.next_message(says("asks you to release this"), DEADLINE)
    await pressed(irina, "Release", asked)
    told = await ed.next_message(says("was released by Irina"), DEADLINE)
    return text_of(told).rpartition(" ")[2].rstrip(".")
