"""Bad input over the real chain: each refused with its own stable code, seen in the hub's signed receipt and
in its quarantine, or on stderr of the command that was misused; and nothing of it reaches a reader.

The frames are made by hand with the agency's own keys and sent over its own credentials. Forms that no
agency's key could make, and every further code of admission, are in test_hub_refusals.py.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import nats.errors
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import NoRespondersError

from schemas.errors import LiaisonError
from schemas.frame import parse_frame
from schemas.limits import CLOCK_SKEW_MAX, FRAME_MAX
from schemas.receipts import ADMITTED
from schemas.vocabulary import Realm
from subscribers.records import Community
from tests.support.hand import HOUR, Hand, Speech, by_hand, now_ms
from tests.support.world import DEADLINE, PATIENCE, Member, Result, World, draft, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

NOBODY = "019aa000-0000-7000-8000-000000000000"


@dataclass
class Stage:
    """An owner whose node reads, and a member worked by hand that has already said one bulletin."""

    world: World
    owner: Member
    hand: Hand
    community: Community
    other: Community
    speech: Speech
    said: list[bytes]

    async def entries(self) -> dict[str, dict[str, Any]]:
        """The hub's quarantine of the hand's agency by the frames' SHA-256, from the operator's command."""
        found = await self.world.operate("quarantine", "--publisher", self.hand.member.id, "--limit", "200")
        return {each["sha256"]: each for each in found["entries"]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(world: World) -> AsyncIterator[Stage]:
    owner, speaker = await world.agencies("fr", "pt")
    community = await owner.found(speaker)
    other = await owner.found(speaker)
    async with by_hand(speaker) as hand:
        speech = Speech.to(hand, community.id)
        await speech.begin()
        said = [speech.bulletin(f"Said {number}") for number in range(2)]
        assert await speech.say(said[0]) == ADMITTED
        said[1] = speech.bulletin("Said 1")
        assert await speech.say(said[1]) == ADMITTED
        await owner.has(community.slug, "Said 0", "Said 1")
        yield Stage(world, owner, hand, community, other, speech, said)


def unsigned(s: Stage) -> bytes:
    frame = parse_frame(s.speech.bulletin("Unsigned"))
    return frame.raw.replace(frame.signature, bytes(64), 1)


def tampered(s: Stage) -> bytes:
    raw = s.speech.bulletin("Tampered")
    return raw[:-1] + bytes([raw[-1] ^ 1])


def under_another_account(s: Stage) -> bytes:
    return s.speech.bulletin("As another", place=s.speech.place._replace(publisher=s.owner.endpoint))


def into_another_community(s: Stage) -> bytes:
    return s.speech.bulletin("Elsewhere", place=s.speech.place._replace(community=s.other.id))


def exercise_in_live(s: Stage) -> bytes:
    place = s.speech.place._replace(realm=Realm.EXERCISE)
    return s.speech.bulletin("An exercise", place=place, exercise=True)


FRAMES: dict[str, tuple[Callable[[Stage], bytes], str]] = {
    "unsigned": (unsigned, "bad_signature"),
    "tampered": (tampered, "bad_signature"),
    "truncated": (lambda s: s.speech.bulletin("Cut")[:300], "truncated"),
    "oversized": (lambda s: s.speech.bulletin("Long") + bytes(FRAME_MAX), "too_large"),
    "replayed": (lambda s: s.said[0], "replayed"),
    "expired": (lambda s: s.speech.bulletin("Late", iat=now_ms() - 2 * HOUR), "expired"),
    "future-dated": (
        lambda s: s.speech.bulletin("Early", iat=now_ms() + CLOCK_SKEW_MAX + 60_000),
        "from_the_future",
    ),
    "under another's account": (under_another_account, "subject_mismatch"),
    "into another community": (into_another_community, "subject_mismatch"),
    "exercise in live": (exercise_in_live, "subject_mismatch"),
}


@dataclass
class Outcome:
    """A bad frame, the code in the hub's signed receipt for it, and what the operator sees in quarantine."""

    raw: bytes
    answered: str
    kept: dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def outcomes(stage: Stage) -> dict[str, Outcome]:
    sent = {name: make(stage) for name, (make, _) in FRAMES.items()}
    answered = {name: await stage.hand.send(stage.speech.place.intake(), raw) for name, raw in sent.items()}
    kept = await stage.entries()
    return {name: Outcome(raw, answered[name], kept[sha256(raw).hexdigest()]) for name, raw in sent.items()}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_bad_frame_is_refused_with_its_code(outcomes: dict[str, Outcome], name: str) -> None:
    outcome, code = outcomes[name], FRAMES[name][1]
    assert outcome.answered == code
    kept = {what: outcome.kept[what] for what in ("code", "agency", "size")}
    assert kept == {"code": code, "agency": "pt", "size": len(outcome.raw)}


async def test_the_chain_goes_on_and_no_reader_saw_any_of_it(
    stage: Stage, outcomes: dict[str, Outcome]
) -> None:
    mark = f"After the bad ones {now_ms()}"
    assert await stage.speech.say(stage.speech.bulletin(mark)) == ADMITTED
    await stage.owner.has(stage.community.slug, mark)
    assert set(await stage.owner.titles(stage.community.slug)) == {"Said 0", "Said 1", mark}
    refused = [each for each in await stage.owner.quarantined() if each["agency"] == "pt"]
    assert {each["code"] for each in refused} <= {"exercise_mismatch"}


async def test_an_exercise_flag_that_the_hub_cannot_see_is_refused_by_the_reader(stage: Stage) -> None:
    raw = stage.speech.bulletin("Exercise flag", exercise=True)
    assert await stage.speech.say(raw) == ADMITTED

    async def kept() -> bool:
        found = await stage.owner.quarantined()
        return [each["code"] for each in found if each["agency"] == "pt"] == ["exercise_mismatch"]

    await eventually(kept)
    assert (await stage.owner.run("quarantine")).json == await stage.owner.quarantined()
    assert "Exercise flag" not in await stage.owner.titles(stage.community.slug)


async def test_nobody_can_send_under_anothers_subject(stage: Stage) -> None:
    """NATS itself refuses: the account has no way in there, whatever the frame says."""
    foreign = stage.speech.place._replace(publisher=stage.owner.endpoint)
    strange = stage.speech.place._replace(community="0" * 32)
    for place in (foreign, strange):
        with pytest.raises((NoRespondersError, nats.errors.TimeoutError)):
            await stage.hand.nc.request(
                place.intake(), stage.speech.bulletin("Foreign", place=place), timeout=1
            )


async def test_a_stranger_has_no_way_in_and_a_former_member_hears_not_member(stage: Stage) -> None:
    closed = await stage.owner.found()
    place = stage.speech.place._replace(community=closed.id)
    with pytest.raises(NoRespondersError):
        await stage.hand.nc.request(
            place.intake(), stage.speech.bulletin("Hello", place=place), timeout=DEADLINE
        )

    left = await stage.owner.found(slug=f"left-{now_ms()}")
    async with stage.owner.client() as agency:
        await agency.community_add(left.slug, "pt")
        await stage.hand.until(lambda: left.id in stage.hand.directory.communities)
        await stage.hand.until(lambda: "pt" in stage.hand.directory.communities[left.id].members(now_ms()))
        speech = Speech.to(stage.hand, left.id)
        await speech.begin()
        await agency.community_remove(left.slug, "pt")
    raw = speech.bulletin("Still here?")
    assert await stage.hand.send(speech.place.intake(), raw) == "not_member"
    assert (await stage.entries())[sha256(raw).hexdigest()]["code"] == "not_member"
    assert await stage.owner.titles(left.slug) == []


async def test_a_suspended_agency_is_cut_off_and_named_by_its_doctor(world: World) -> None:
    owner, member = await world.agencies("fr", "kz")
    community = await owner.found(member)
    await world.operate("suspend", "kz")
    try:
        await member.connected(wanted=False)
        published = await member.publish("While suspended", community.slug)
        assert published.state == "queued"
        doctor = await member.run("doctor")
        assert doctor.status == 1
        (connection,) = [each for each in doctor.json if each["check"] == "connection"]
        assert not connection["ok"]
        assert "suspended" in connection["fix"]
        # With its own credentials there is no way in either.
        with pytest.raises(nats.errors.Error):
            await direct(member)
    finally:
        await world.operate("resume", "kz")
    await owner.has(community.slug, "While suspended")
    assert await owner.titles(community.slug) == ["While suspended"]


async def direct(member: Member) -> None:
    admission, keys = member.admission, member.keys

    async def quiet(_: Exception) -> None:
        """The refusal is raised as well."""

    nc = Client()
    try:
        await nc.connect(
            admission.urls[0],
            user_jwt_cb=lambda: bytearray(admission.user_jwt.encode()),
            signature_cb=keys.nats.signature,
            allow_reconnect=False,
            connect_timeout=PATIENCE,
            error_cb=quiet,
        )
    finally:
        await nc.close()


DRAFTS: dict[str, tuple[dict[str, Any], str]] = {
    "missing marking": ({"tlp": None}, "missing_marking"),
    "red with history": ({"tlp": "TLP:RED", "history": "members"}, "red_with_history"),
    "unknown language": ({"language": "xx"}, "unknown_language"),
    "reference to nothing": (
        {"kind": "amendment", "links": [{"relation": "amends", "id": NOBODY}]},
        "dangling_reference",
    ),
    "exercise in live": ({"exercise": True}, "exercise_mismatch"),
    "unknown field": ({"colour": "blue"}, "bad_draft"),
    "amendment of nothing": ({"kind": "amendment"}, "bad_draft"),
    "too long": ({"body": "x" * 70_000}, "too_large"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drafted(world: World) -> dict[str, Result]:
    """Each malformed draft through the command, two at a time."""
    owner = await world.agency("fr")
    community = await kept_community(owner)
    free = asyncio.Semaphore(2)

    async def publish(fields: dict[str, Any]) -> Result:
        plain = {
            "kind": "threat",
            "title": "A draft",
            "language": "en",
            "severity": "low",
            "tlp": "TLP:GREEN",
        }
        whole = {key: value for key, value in {**plain, **fields}.items() if value is not None}
        async with free:
            return await owner.run("publish", "-", "--community", community, given=json.dumps(whole).encode())

    results = await asyncio.gather(*(publish(fields) for fields, _ in DRAFTS.values()))
    return dict(zip(DRAFTS, results, strict=True))


@pytest.mark.parametrize("name", DRAFTS)
async def test_a_malformed_draft_ends_the_command_with_its_code(
    drafted: dict[str, Result], name: str
) -> None:
    result = drafted[name]
    assert (result.status, result.out, result.code) == (1, "", DRAFTS[name][1])
    said = json.loads(result.err)
    assert said["message"]
    assert said["fix"]


async def test_other_misuse_of_publish(world: World) -> None:
    owner = await world.agency("fr")
    community = await kept_community(owner)
    data = json.dumps(draft("A draft").model_dump(mode="json")).encode()
    cases: list[tuple[tuple[str, ...], bytes | None, int, str]] = [
        (("publish", "-", "--community", "nowhere"), data, 1, "unknown_community"),
        (("publish", "-", "--community", community), b"neither one nor the other", 1, "bad_draft"),
        (("publish", "-", "--community", community), b"{", 1, "bad_json"),
        (("publish", "/nowhere.md", "--community", community), None, 1, "bad_draft"),
    ]
    results = await asyncio.gather(*(owner.run(*words, given=given) for words, given, *_ in cases))
    assert [(each.status, each.code) for each in results] == [(status, code) for *_, status, code in cases]
    assert await owner.titles(community) == []


async def kept_community(owner: Member) -> str:
    """The owner's own community for drafts, made once."""
    slug = "drafts"
    async with owner.client() as agency:
        if slug in {each.slug for each in await agency.communities()}:
            return slug
    return (await owner.found(slug=slug)).slug


async def test_the_wrong_archive_key(world: World) -> None:
    member = await world.agency("gb")
    await member.node.stop()
    key = member.state / "keys" / "archive.key"
    good = key.read_text()
    key.write_text(f"liaison/1 archive {'ab' * 32}\n")
    await member.node.launch()
    assert await member.node.ended() == 1
    assert refusal(member.node.log) == "wrong_key"
    key.write_text(good)
    await member.start()


def refusal(log: str) -> str:
    """The code on the last line of a log."""
    return str(json.loads(log.strip().splitlines()[-1])["code"])


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_off_by_an_hour(world: World, hours: int) -> None:
    owner, member = await world.agencies("fr", "gb")
    community = await owner.found(member)
    await member.node.stop()
    module = ("-m", "tests.support.node_launcher", "--clock", str(hours * HOUR))
    wrong = member.program(sys.executable, *module)
    await wrong.start()
    try:
        await member.connected()
        wrongs: list[dict[str, Any]] = []

        async def compared() -> bool:  # a hub that is busy for seconds is no hub to set a clock by
            doctor = await member.run("doctor")
            assert doctor.status == 1
            wrongs[:] = [each for each in doctor.json if not each["ok"]]
            return [each["check"] for each in wrongs] == ["clock"] and "NTP" in wrongs[0]["fix"]

        await eventually(compared)
        assert ("ahead of" if hours > 0 else "behind") in wrongs[0]["message"]
        async with member.client() as agency:
            with pytest.raises(LiaisonError, match="clock_skew"):
                await agency.publish(draft("At the wrong time"), community.slug)
    finally:
        await wrong.stop()
    await member.start()
    await member.publish("At the right time", community.slug)
    await owner.has(community.slug, "At the right time")
    assert await owner.titles(community.slug) == ["At the right time"]
