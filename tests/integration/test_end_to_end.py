"""The main job, end to end, on real processes: a bulletin leaves one agency, passes the hub, and reaches
another's archive, sink and local subjects; and only those who should have it.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import pytest

from schemas.errors import LiaisonError
from schemas.vocabulary import Kind, Realm
from subscribers.records import Community, Filters, Published, Record
from tests.support.world import DEADLINE, PATIENCE, Member, World, draft, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def record(member: Member, title: str, community: Community) -> Record:
    """The bulletin with this title as the agency holds it."""
    await member.has(community.slug, title)
    async with member.client() as agency:
        filters = Filters(communities=frozenset({community.id}))  # else no exercise is found
        page = await agency.search(f'"{title}"', filters=filters, limit=100)
    return next(each for each in page.items if each.community == community.id)


async def test_from_one_agency_to_anothers_archive_sink_and_subjects(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    url = (kz.state / "local" / "url").read_text().strip()
    seed = kz.state / "local" / "clients" / "plain.nk"
    nc = await nats.connect(url, nkeys_seed=str(seed), connect_timeout=PATIENCE)
    live = await nc.subscribe(f"bulletin.live.{community.slug}.>")
    await nc.flush()
    body = "Беспилотник над портом. 港口上空的无人机。 طائرة مسيرة فوق الميناء."
    said = await fr.publish("Drone over the port", community.slug, body=body, regions=["FR-IDF"])
    assert await fr.settled(said) is None
    message = await live.next_msg(DEADLINE)
    await nc.close()
    assert message.subject == f"bulletin.live.{community.slug}.threat.high.green"
    assert message.headers
    assert message.headers["Nats-Msg-Id"] == said.id
    received = json.loads(message.data)
    assert received["bulletin"]["body"] == body
    assert (received["agency"], received["community_slug"], received["own"]) == ("fr", community.slug, False)

    for member in (fr, kz):  # its own as well
        await member.has(community.slug, "Drone over the port")
        async with member.client() as agency:
            shown = await agency.show(said.ref)
            assert (shown.bulletin.id, shown.own) == (said.id, member is fr)
            chain = await agency.provenance(said.ref)
            assert (chain.signature, chain.agency, chain.evidence) == ("holds", "fr", True)
            assert chain.key
            assert (chain.key.state, chain.audience.members) == ("current", 2)
            for words in ("drone", "беспилотник", "无人机", "مسيرة"):
                page = await agency.search(words, limit=100)
                assert said.id in {each.bulletin.id for each in page.items}, words
        line = next(each for each in map(json.loads, member.jsonl.read_text("utf-8").splitlines())
                    if each.get("bulletin", {}).get("id") == said.id)  # fmt: skip
        assert line["bulletin"]["ref"] == said.ref

    # An officer at the agency's terminal, from a pipe: the button's number is the first that was shown.
    asked = f"/show {said.ref}\n1\n/ack {said.ref}\n".encode()
    told = await world.command("liaison-agency", "chat", "--state", kz.state, "--officer", "Ed", given=asked)
    assert (told.status, told.err) == (0, "")
    assert body in told.out
    assert f"{said.ref} acknowledged." in told.out
    assert f"{said.ref} was acknowledged already." in told.out


async def test_the_hub_never_has_a_word_of_it(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    marker = f"marker-{os.urandom(8).hex()}"
    await fr.publish(marker, community.slug, body=marker)
    await kz.has(community.slug, marker)
    for word in (marker, community.slug):
        held = [path for path in world.state.rglob("*") if word.encode() in _content(path)]
        assert held == []
    assert marker not in world.hub.log
    assert marker not in fr.node.log + kz.node.log


def _content(path: Path) -> bytes:
    """Of a file; nothing of one that the server has put into another's place meanwhile."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


async def test_only_members_get_it(world: World) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    closed, open_ = await fr.found(kz), await fr.found(kz, gb)
    await fr.publish("For two", closed.slug)
    await fr.publish("For three", open_.slug)
    await gb.has(open_.slug, "For three")
    # What was said before, in the hub's one order, would be there by now.
    async with gb.client() as agency:
        assert closed.id not in {each.id for each in await agency.communities()}
        assert (await agency.search('"For two"')).items == []
        with pytest.raises(LiaisonError, match="not_member"):
            await agency.publish(draft("Let me in"), closed.id)
    assert "For two" not in gb.jsonl.read_text("utf-8")


async def test_who_is_removed_reads_nothing_later_and_who_joins_nothing_earlier(world: World) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    community = await fr.found(kz)
    async with fr.client() as agency:
        once = "019c132c-df40-7a10-8b5e-00000000d0ce"
        said = await agency.publish(draft("First"), community.slug, once=once)
        named = {**draft("First").model_dump(mode="json", exclude_none=True), "once": once}
        line = json.dumps({"community": community.slug, "draft": named}).encode()
        again = await fr.world.command("liaison-agency", "publish-lines", "--state", fr.state, given=line)
        assert json.loads(again.out)["id"] == said.id, again.err
        await kz.has(community.slug, "First")
        await agency.community_add(community.slug, "gb")
        await gb.knows(community.slug)
        await fr.publish("Second", community.slug)
        await gb.has(community.slug, "Second")
        await kz.has(community.slug, "First", "Second")
        changed = await agency.community_remove(community.slug, "kz")
        assert changed.members == ["fr", "gb"]
        await fr.publish("Third", community.slug)
    await gb.has(community.slug, "Second", "Third")
    # A bulletin elsewhere, said afterwards, tells that nothing more is on its way to the removed one.
    other = await fr.found(kz)
    await fr.publish("A sign", other.slug)
    await kz.has(other.slug, "A sign")
    assert sorted(await kz.titles(community.slug)) == ["First", "Second"]
    assert sorted(await gb.titles(community.slug)) == ["Second", "Third"]
    with pytest.raises(LiaisonError, match="not_member"):
        await kz.publish("Still here", community.id)


async def test_two_agencies_answer_each_other(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    asked = await fr.publish("Who knows this drone?", community.slug, kind="request")
    await kz.has(community.slug, "Who knows this drone?")
    link = {"relation": "responds-to", "id": asked.id}
    await kz.publish("We do", community.slug, kind="response", links=[link])
    async with kz.client() as agency:
        told = await agency.acknowledge(asked.ref, note="Passed on", officer="officer-7")
        with pytest.raises(LiaisonError, match="not_found"):
            await agency.acknowledge("FR-2020-9999")
    assert await kz.settled(told) is None
    for member in (fr, kz):
        await member.has(community.slug, "Who knows this drone?", "We do", f"Acknowledged: {asked.ref}")
    acknowledged = await record(fr, f"Acknowledged: {asked.ref}", community)
    assert (acknowledged.agency, acknowledged.bulletin.drafter) == ("kz", "officer-7")


async def test_amendment_and_retraction(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    first = await fr.publish("As it was", community.slug)
    second = await fr.publish("To be withdrawn", community.slug)
    await kz.has(community.slug, "As it was", "To be withdrawn")
    amends = [{"relation": "amends", "id": first.id}]
    amendment = await fr.publish("As it is", community.slug, kind="amendment", links=amends)
    await fr.publish(
        "Withdrawn", community.slug, kind="retraction", links=[{"relation": "retracts", "id": second.id}]
    )
    # Somebody else's word changes nothing.
    await kz.publish(
        "Not mine", community.slug, kind="retraction", links=[{"relation": "retracts", "id": first.id}]
    )
    for member in (fr, kz):
        await member.has(community.slug, "As it is", "Withdrawn", "Not mine")
        async with member.client() as agency:
            states = {each.id: await agency.show(each.id) for each in (first, second)}
        assert (states[first.id].state, states[first.id].replaced_by) == ("amended", amendment.id)
        assert states[second.id].state == "retracted"


async def test_exercises_keep_to_their_realm(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz, realm=Realm.EXERCISE)
    with pytest.raises(LiaisonError, match="exercise_mismatch"):
        await fr.publish("In earnest", community.slug)
    await fr.publish("Exercise only", community.slug, exercise=True, severity="flash", tlp="TLP:AMBER")
    shown = await record(kz, "Exercise only", community)
    assert shown.bulletin.exercise


async def test_a_digest_is_made_once_whatever_is_restarted(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    begun = datetime.now(UTC) - timedelta(seconds=1)
    await kz.publish("In the digest", community.slug, tlp="TLP:AMBER", regions=["FR"])
    await fr.publish("In it too", community.slug, history="members")
    await fr.has(community.slug, "In the digest", "In it too")

    def period(until: datetime) -> str:
        return "/".join(each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (begun, until))

    asked = period(datetime.now(UTC) + timedelta(seconds=1))

    async def over() -> bool:
        return (
            time.time()
            > datetime.strptime(asked.split("/")[1], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        )

    await eventually(over)
    words = ("digest", "--community", community.slug, "--period", asked)
    first = await fr.run(*words)
    assert first.status == 0, first.err
    await fr.node.kill()
    await fr.start()
    again, third = await asyncio.gather(fr.run(*words), fr.run(*words))
    assert again.json["id"] == third.json["id"] == first.json["id"]
    async with kz.client() as agency:

        async def arrived() -> list[Record]:
            page = await agency.latest(limit=100)
            return [
                each
                for each in page.items
                if each.bulletin.kind is Kind.DIGEST and each.community == community.id
            ]

        await eventually(arrived)
        (digest,) = await arrived()
    assert digest.bulletin.tlp == "TLP:AMBER"
    assert digest.bulletin.history == "none"
    assert len(digest.bulletin.links) == 2
    assert {each.language for each in digest.bulletin.translations} == {"ar", "es", "fr", "ru", "zh"}
    nothing = await fr.run("digest", "--community", community.slug, "--period", "2020-01-01")
    assert (nothing.status, nothing.code) == (1, "not_found")


async def test_a_second_node_on_the_same_keys_refuses_to_start(world: World) -> None:
    fr = await world.agency("fr")
    second = await fr.run("run")
    assert (second.status, second.out, second.code) == (1, "", "already_running")


async def test_enrolment_checks_the_fingerprint_and_may_be_repeated(world: World) -> None:
    member = await world.prepare("wf")
    enrol = ("enrol", world.directory / "wf.json", "--root-fingerprint")
    wrong = await member.run(*enrol, "ab" * 32)
    assert (wrong.status, wrong.code) == (1, "root_mismatch")
    assert not (member.state / "admission.json").exists()
    other = await world.prepare("wf-other")
    before = {path: path.read_bytes() for path in member.state.rglob("*") if path.is_file()}
    theirs = await member.run("enrol", world.directory / f"{other.id}.json", *enrol[2:], world.fingerprint)
    assert (theirs.status, theirs.code) == (1, "wrong_key")
    assert "the admission of wf-other" in theirs.err
    assert {path: path.read_bytes() for path in member.state.rglob("*") if path.is_file()} == before
    run = await member.run("run")
    assert (run.status, run.code) == (1, "not_enrolled")
    spoken = " ".join(world.fingerprint[start : start + 8].upper() for start in range(0, 64, 8))
    for _ in range(2):
        right = await member.run(*enrol, spoken)
        assert (right.status, right.json["registered"]) == (0, True), right.err
    again = await member.run("init", "--agency", "wf", "--name", "Another", "--code", "WFX")
    assert (again.status, again.code) == (1, "already_known")


_JSON = b'{"kind": "threat", "language": "en", "severity": "low", "tlp": "TLP:GREEN", "title": "%s"}'
_MARKDOWN = b"""---
kind: threat
tlp: TLP:GREEN
severity: low
language: ar
regions: [LB, SY]
---
# By markdown

\xd8\xb7\xd8\xa7\xd8\xa6\xd8\xb1\xd8\xa9
"""


def _file(member: Member, name: str, data: bytes) -> str:
    path = member.state / name
    path.write_bytes(data)
    return str(path)


Way = tuple[tuple[str, ...], bytes | None]
FLAGS = (
    "--kind",
    "threat",
    "--severity",
    "high",
    "--tlp",
    "TLP:GREEN",
    "--language",
    "fr",
    "--title",
    "By flags",
)
WAYS: dict[str, Callable[[Member], Way]] = {
    "flags": lambda _: ((*FLAGS, "--region", "FR", "--body", "x"), None),
    "json": lambda member: ((_file(member, "by.json", _JSON % b"By json"),), None),
    "markdown": lambda member: ((_file(member, "by.md", _MARKDOWN),), None),
    "stdin": lambda _: (("-",), _JSON % b"By stdin"),
    "flags over a file": lambda member: (
        (_file(member, "over.json", _JSON % b"Old"), "--title", "By both"),
        None,
    ),
}


async def test_publishing_from_flags_files_and_standard_input(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    free = asyncio.Semaphore(2)

    async def publish(way: Callable[[Member], Way]) -> Published:
        words, given = way(fr)
        async with free:
            result = await fr.run("publish", *words, "--community", community.slug, given=given)
        assert result.status == 0, result.err
        return Published.model_validate(result.json)

    for said in await asyncio.gather(*map(publish, WAYS.values())):
        assert await fr.settled(said) is None
    titles = ["By flags", "By json", "By markdown", "By stdin", "By both"]
    await kz.has(community.slug, *titles)
    assert sorted(await kz.titles(community.slug)) == sorted(titles)
    shown = await record(kz, "By markdown", community)
    assert (shown.bulletin.language, shown.bulletin.regions, shown.bulletin.body) == (
        "ar",
        ["LB", "SY"],
        "طائرة",
    )


async def test_commands_say_with_their_exit_codes_what_became_of_them(world: World) -> None:
    fr, kz = await world.agencies("fr", "kz")
    community = await fr.found(kz)
    said = await fr.publish("To be shown", community.slug)
    await fr.has(community.slug, "To be shown")
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("show", said.ref), 0, ""),
        (("show", "FR-2020-0001"), 1, "not_found"),
        (("search", "shown"), 0, ""),
        (("like", said.ref), 0, ""),
        (("latest", "--limit", "1"), 0, ""),
        (("status",), 0, ""),
        (("community", "list"), 0, ""),
        (("community", "add", community.slug, "nobody"), 1, "unknown_agency"),
        (("latest", "--severity", "terrible"), 2, ""),
    ]
    free = asyncio.Semaphore(2)

    async def run(member: Member, words: tuple[str, ...]) -> tuple[int, str]:
        async with free:
            result = await member.run(*words)
        if result.status == 0:
            json.loads(result.out)
        return result.status, result.code if result.status in {1, 3} else ""

    results = await asyncio.gather(*(run(fr, words) for words, *_ in cases))
    assert results == [(status, code) for _, status, code in cases]
    assert isinstance((await fr.run("tactic", "T1566")).json["seen"], list)
    for number in ("T9999", "1566.9", "TA0099"):
        assert (await fr.run("tactic", number)).code == "not_found"
    assert await run(kz, ("community", "add", community.slug, "gb")) == (1, "forbidden")
    await kz.node.stop()
    assert await run(kz, ("status",)) == (3, "node_unreachable")
    await kz.start()


async def test_doctor_names_what_is_wrong(world: World) -> None:
    doctored = await world.agency("dr")  # in no community: what other tests do raises no alarm here
    await doctored.connected()
    checks: set[str] = set()

    async def well() -> bool:  # its keys come with the directory, a moment after the connection
        found = await doctored.run("doctor")
        checks.update(each["check"] for each in found.json)
        return found.status == 0

    await eventually(well)
    here = {"keys", "key-age", "identity", "root", "head", "archive", "disk", "alarms", "history", "recall"}
    assert checks == here | {"connection", "clock", "backlog", "outbox", "copy"}
    await world.hub.kill()
    try:
        await doctored.connected(wanted=False)
        ill = await doctored.run("doctor")
    finally:
        await world.hub.start()
    assert ill.status == 1
    wrong = {each["check"]: each for each in ill.json if not each["ok"]}
    assert wrong.keys() == {"connection", "clock", "backlog"}
    assert all(each["message"] and each["fix"] for each in wrong.values())
    await doctored.connected()
