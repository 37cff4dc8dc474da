"""Bad input over the real hub: each with its own code, in the signed receipt and in quarantine, and
nothing of it in traffic.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from hub.serve import RunningHub
from hub.settlement import QUARANTINE_MAX
from schemas.errors import Code
from schemas.frame import BULLETIN, CARD, EPOCH
from schemas.limits import CLOCK_SKEW_MAX, FRAME_MAX, INTAKE_AGE_MAX, LIFE_MAX
from schemas.merkle import Head
from schemas.vocabulary import Precedence, Realm
from tests.support.frames import HOUR, AgencyKit, Chain, Circle, Pair, flipped
from tests.support.hub_world import DEADLINE, HubWorld, Station, hub_world, stored
from tests.support.nats_server import eventually


@dataclass
class Scene:
    """A hub with a publisher, its chain of two admitted frames, a reader, and a second community."""

    hub: HubWorld
    running: RunningHub
    france: Station
    kenya: Station
    circle: Circle
    chain: Chain
    other: Circle
    sent: list[bytes]

    @property
    def now(self) -> int:
        return self.hub.now


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with hub_world(tmp_path) as (hub, running):
        france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
        circle = await hub.community(france)
        other = await hub.community(france, realm=Realm.EXERCISE)
        assert await france.submit(circle.change("ken", hub.now, role="reader")) == "admitted"
        await hub.know(circle, kenya)
        chain = Chain(france.kit, circle)
        sent = [chain.make(hub.now) for _ in range(2)]
        for frame in sent:
            assert await france.send(chain, frame) == "admitted"
        yield Scene(hub, running, france, kenya, circle, chain, other, sent)


def unsigned(s: Scene) -> bytes:
    return flipped(s.chain.build(s.now), bytes(64))


def tampered(s: Scene) -> bytes:
    frame = s.chain.build(s.now)
    return frame[:-1] + bytes([frame[-1] ^ 1])


def forged(s: Scene) -> bytes:
    """Signed by a key of its own, under the name of the real one."""
    thief = AgencyKit("fra", endpoint=s.france.kit.endpoint, signing=Pair())
    return Chain(thief, s.circle, seq=s.chain.seq, prev=s.chain.prev).build(s.now, kid=s.france.kit.kid)


def with_unknown_key(s: Scene) -> bytes:
    thief = AgencyKit("fra", endpoint=s.france.kit.endpoint, signing=Pair())
    return Chain(thief, s.circle, seq=s.chain.seq, prev=s.chain.prev).build(s.now)


def another_account(s: Scene) -> bytes:
    return s.chain.build(s.now, pub=s.kenya.kit.endpoint)


CASES: dict[str, tuple[Callable[[Scene], bytes], Code]] = {
    "empty": (lambda _: b"", Code.TRUNCATED),
    "unsigned": (unsigned, Code.BAD_SIGNATURE),
    "tampered": (tampered, Code.BAD_SIGNATURE),
    "forged": (forged, Code.BAD_SIGNATURE),
    "unknown key": (with_unknown_key, Code.UNKNOWN_KEY),
    "truncated": (lambda s: s.chain.build(s.now)[:200], Code.TRUNCATED),
    "cut in its body": (lambda s: s.chain.build(s.now)[:-1], Code.BAD_PADDING),
    "oversized": (lambda s: s.chain.build(s.now) + bytes(FRAME_MAX), Code.TOO_LARGE),
    "as large as NATS takes": (lambda _: bytes(512 * 1024 - 2048), Code.TOO_LARGE),
    "version 2": (lambda s: b"\x02" + s.chain.build(s.now)[1:], Code.BAD_VERSION),
    "no header": (lambda _: b"\x01\x00\x02{}" + bytes(100), Code.BAD_HEADER),
    "replayed": (lambda s: s.sent[0], Code.REPLAYED),
    "gap": (lambda s: s.chain.build(s.now, seq=s.chain.seq + 1), Code.GAP),
    "fork": (lambda s: s.chain.build(s.now, prev="ab" * 32), Code.FORK),
    "fork at the head": (lambda s: s.chain.build(s.now, seq=s.chain.seq - 1), Code.FORK),
    "expired": (lambda s: s.chain.build(s.now - 2 * HOUR), Code.EXPIRED),
    "future": (lambda s: s.chain.build(s.now + CLOCK_SKEW_MAX + 60_000), Code.FROM_THE_FUTURE),
    "clock off by an hour": (lambda s: s.chain.build(s.now + HOUR), Code.FROM_THE_FUTURE),
    "too old": (lambda s: s.chain.build(s.now - INTAKE_AGE_MAX - HOUR, exp=s.now + HOUR), Code.TOO_OLD),
    "for too long": (lambda s: s.chain.build(s.now, exp=s.now + LIFE_MAX + HOUR), Code.BAD_HEADER),
    "another's account": (another_account, Code.SUBJECT_MISMATCH),
    "another community": (lambda s: s.chain.build(s.now, com=s.other.id), Code.SUBJECT_MISMATCH),
    "another precedence": (lambda s: s.chain.build(s.now, pr=Precedence.FLASH), Code.SUBJECT_MISMATCH),
    "exercise in live": (lambda s: s.chain.build(s.now, rl=Realm.EXERCISE), Code.SUBJECT_MISMATCH),
    "a longer log than there is": (
        lambda s: s.chain.build(s.now, EPOCH, dir=Head(99, bytes(32))),
        Code.LOG_BEHIND,
    ),
    "another log": (lambda s: s.chain.build(s.now, EPOCH, dir=Head(2, bytes(32))), Code.SPLIT_VIEW),
}


async def test_each_bad_frame_has_its_code(scene: Scene) -> None:
    bad = {name: make(scene) for name, (make, _) in CASES.items()}
    for frame in bad.values():
        await scene.france.put(scene.chain.subject.intake(), frame)
    answers = {
        name: await scene.france.answer(frame, 0 if name != "replayed" else 8) for name, frame in bad.items()
    }
    assert answers == {name: code for name, (_, code) in CASES.items()}

    listed = (await scene.hub.ask("quarantine", limit=100))["entries"]
    shas = [sha256(frame).hexdigest() for frame in bad.values()]
    assert [each["sha256"] for each in listed] == shas[::-1]
    assert [each["code"] for each in listed] == [code for _, code in CASES.values()][::-1]
    assert {each["agency"] for each in listed} == {"fra"}
    assert [each["size"] for each in listed] == [len(frame) for frame in bad.values()][::-1]
    kept = await stored(scene.running.office.nc, "QUARANTINE")
    assert [each.data for each in kept] == [frame[:QUARANTINE_MAX] for frame in bad.values()]
    only = (await scene.hub.ask("quarantine", code="expired", publisher="fra"))["entries"]
    assert [each["code"] for each in only] == ["expired"]

    # The chain goes on as if nothing had been there, and no reader saw any of it.
    last = scene.chain.make(scene.now)
    assert await scene.france.send(scene.chain, last) == "admitted"
    assert [each.data for each in await stored(scene.running.office.nc, "TRAFFIC", "f.>")] == [
        *scene.sent,
        last,
    ]


async def test_a_reader_may_not_write_and_a_stranger_is_no_member(scene: Scene) -> None:
    own = Chain(scene.kenya.kit, scene.circle)
    assert await scene.kenya.send(own, own.build(scene.now)) == "read_only_member"
    assert await scene.france.submit(scene.circle.change("ken", scene.now, op="remove")) == "admitted"
    assert await scene.kenya.send(own, own.build(scene.now)) == "not_member"


async def test_only_an_owner_publishes_the_card(scene: Scene) -> None:
    assert await scene.france.submit(scene.circle.change("ken", scene.now)) == "admitted"
    own = Chain(scene.kenya.kit, scene.circle)
    assert await scene.kenya.send(own, own.build(scene.now, CARD)) == "forbidden"
    assert await scene.kenya.send(own, own.build(scene.now, BULLETIN)) == "admitted"


async def test_without_keys_in_the_directory_nothing_is_admitted(scene: Scene) -> None:
    brazil = await scene.hub.admit(AgencyKit("bra", "Agency", "BRA"))
    assert await scene.france.submit(scene.circle.change("bra", scene.now)) == "admitted"
    own = Chain(brazil.kit, scene.circle)
    assert await brazil.send(own, own.build(scene.now)) == "unknown_publisher"
    document = AgencyKit("fra", endpoint=brazil.kit.endpoint, identity=brazil.kit.identity)
    assert await brazil.submit(document.keys_document(scene.now)) == "forbidden"
    assert await brazil.submit(brazil.kit.keys_document(scene.now)) == "admitted"
    assert await brazil.send(own, own.build(scene.now)) == "admitted"


@pytest.mark.parametrize(
    "place, code",
    [
        ("in.live.{exercise}.routine.{pk}", "wrong_realm"),
        ("in.live.{nowhere}.routine.{pk}", "unknown_community"),
    ],
)
async def test_what_no_import_lets_through_is_refused_all_the_same(
    scene: Scene, place: str, code: str
) -> None:
    """As if an account had been minted wrongly: put into the intake by the hub's own connection."""
    circle = Circle(scene.france.kit, id=scene.other.id if code == "wrong_realm" else "0" * 32)
    frame = Chain(scene.france.kit, circle).build(scene.now)
    subject = place.format(exercise=scene.other.id, nowhere="0" * 32, pk=scene.france.kit.endpoint)
    await scene.running.office.nc.jetstream(timeout=DEADLINE).publish(subject, frame)
    assert await scene.france.answer(frame) == code


async def test_what_a_suspended_agency_had_sent_before_is_not_admitted(scene: Scene) -> None:
    frame = scene.chain.build(scene.now)
    async with scene.running.office.writing():  # the router has to wait: the frame lies in the intake
        await scene.france.put(scene.chain.subject.intake(), frame)
        await scene.hub.ask("suspend", who="fra")
    await scene.france.close()

    async def judged() -> bool:
        return bool(await stored(scene.running.office.nc, "QUARANTINE"))

    await eventually(judged)
    await scene.hub.ask("resume", who="fra")
    await scene.france.connect()
    assert await scene.france.answer(frame) == "suspended"


@pytest.mark.parametrize(
    "subject",
    [
        "in.live.xyz.routine.{pk}",
        "in.LIVE.{com}.routine.{pk}",
        "in.live.{com}.urgent.{pk}",
        "in.live.{com}.routine.nobody",
    ],
)
async def test_a_subject_of_another_shape(scene: Scene, subject: str) -> None:
    place = subject.format(com=scene.circle.id, pk=scene.france.kit.endpoint)
    frame = scene.chain.build(scene.now)
    await scene.running.office.nc.jetstream(timeout=DEADLINE).publish(place, frame)
    if place.endswith(scene.france.kit.endpoint):
        assert await scene.france.answer(frame) == "bad_subject"
    else:  # nobody to answer to; it is kept all the same
        marker = scene.chain.make(scene.now)
        assert await scene.france.send(scene.chain, marker) == "admitted"
    assert [each.data for each in await stored(scene.running.office.nc, "QUARANTINE")] == [frame]


@pytest.mark.parametrize("token", [b"\xff\xfe", "é".encode(), b"a\x00b", b"x" * 3000])
async def test_a_subject_that_the_hub_could_not_read_goes_nowhere(scene: Scene, token: bytes) -> None:
    """NATS carries any bytes in a subject; nats-py ends its read loop at some of them, and with it the
    hub.
    """
    parts = (b"in.live", scene.circle.id.encode(), token, scene.france.kit.endpoint.encode())
    await raw(scene.france, b"PUB %b 2\r\nhi\r\n" % b".".join(parts))
    last = scene.chain.make(scene.now)
    assert await scene.france.send(scene.chain, last) == "admitted"
    assert not await stored(scene.running.office.nc, "QUARANTINE")


@pytest.mark.parametrize(
    "headers",
    [
        b"NATS/1.0 404\r\n\r\n",
        b"NATS/1.0\r\nStatus: 100\r\n\r\n",
        b"NATS/1.0\r\n\xff\xfe: \xff\r\n\r\n",
        b"NATS/1.0\r\nno colon\r\n\r\n",
        b"NATS/1.0\r\nNats-Msg-Id: \x00\r\n\r\n",
        b"junk",
    ],
)
@pytest.mark.parametrize("body", [b"", b"hi"])
async def test_a_senders_headers_mean_nothing(scene: Scene, headers: bytes, body: bytes) -> None:
    subject = scene.chain.subject.intake().encode()
    sizes = (len(headers), len(headers) + len(body))
    await raw(scene.france, b"HPUB %b %d %d\r\n%b%b\r\n" % (subject, *sizes, headers, body))
    assert await scene.france.answer(body) == "truncated"
    last = scene.chain.make(scene.now)
    assert await scene.france.send(scene.chain, last) == "admitted"


async def raw(station: Station, protocol: bytes) -> None:
    """Bytes on the station's connection that its client library would not have written."""
    transport = station.nc._transport  # noqa: SLF001 - there is no other way to them
    assert transport is not None
    transport.write(protocol)
    await station.nc.flush()
