"""Somebody else publishes with a node's keys: the node notices, says nothing more, and goes on when it is
told to.
"""

import time
from dataclasses import dataclass

import nats
import pytest

from schemas.chain import ChainKey
from schemas.errors import Code, LiaisonError
from schemas.signing import key_id
from schemas.subjects import FrameSubject
from schemas.vocabulary import AlarmName, History, Precedence, Realm
from subscribers.core import DATABASE, Core
from subscribers.sealing import EpochKey, announce
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.hand import HOUR, by_hand
from tests.support.world import DEADLINE, PATIENCE, Member, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


@dataclass
class Thief:
    """The keys and the state of a node as they were at one moment, and its account."""

    member: Member
    place: FrameSubject
    ledger: Ledger

    @classmethod
    async def of(cls, member: Member, community: str) -> "Thief":
        """Copied while the node stood still; it runs again."""
        await member.node.stop()
        async with await Store.open(member.state / DATABASE, member.keys.archive, tables.NODE) as store:
            ledger = await Ledger.load(store)
        await member.start()
        await member.connected()
        return cls(member, FrameSubject(Realm.LIVE, community, Precedence.ROUTINE, member.endpoint), ledger)

    def announcement(self) -> bytes:
        """The frame that would come next, and begin an epoch of the thief's."""
        keys, directory, now = self.member.keys, self.ledger.known(), time.time_ns() // 1_000_000
        name = ChainKey(self.place.publisher, self.place.community, str(self.place.precedence))
        return announce(
            self.place,
            kid=key_id(keys.signing.public).hex(),
            ep=max(each.ep for each in self.ledger.epochs) + 1,
            head=self.ledger.chains[name].head,
            id=Core.new_id(),
            iat=now,
            exp=now + HOUR,
            dir=directory.head,
            mem=directory.communities[self.place.community].head,
            hist=History.NONE,
            epoch_key=EpochKey.generate(),
            signer=keys.signing,
        )

    async def speak(self) -> None:
        """Publish it over a connection of its own, and leave the victim's feed alone."""
        admission, keys = self.member.admission, self.member.keys
        nc = await nats.connect(
            admission.urls,
            user_jwt_cb=lambda: bytearray(admission.user_jwt.encode()),
            signature_cb=keys.nats.signature,
            allow_reconnect=False,
            connect_timeout=PATIENCE,
        )
        try:
            await nc.request(self.place.intake(), self.announcement(), timeout=DEADLINE)
        finally:
            await nc.close()


async def test_a_node_sets_nothing_on_frames_that_it_did_not_make(world: World) -> None:
    fr, jp = await world.agencies("stolen-fr", "stolen-jp")
    community = await fr.found(jp)
    await fr.publish("From the owner", community.slug)
    await jp.has(community.slug, "From the owner")
    thief = await Thief.of(fr, community.id)
    await thief.speak()
    async with fr.client() as agency:

        async def noticed() -> bool:
            return AlarmName.STOLEN_KEY in {each.name for each in await agency.alarms()}

        await eventually(noticed)
        (alarm,) = [each for each in await agency.alarms() if each.name == AlarmName.STOLEN_KEY]
        assert (alarm.community, alarm.agency) == (community.id, fr.id)
        with pytest.raises(LiaisonError) as refused:
            await fr.publish("Not behind a thief", community.slug)
        assert refused.value.code is Code.STOLEN_KEY
        assert "alarms" in refused.value.fix
    await fr.node.kill()
    await fr.start()  # a restart is no permission
    await fr.connected()
    with pytest.raises(LiaisonError) as refused:
        await fr.publish("Nor after a restart", community.slug)
    assert refused.value.code is Code.STOLEN_KEY

    seen = await fr.run("alarms", "--ack", str(alarm.number))
    assert seen.json["ended"]
    await fr.publish("By the operator's word", community.slug)
    await jp.has(community.slug, "By the operator's word")
    assert not {"Not behind a thief", "Nor after a restart"} & set(await jp.titles(community.slug))
    assert [each["name"] for each in (await fr.run("alarms")).json] == []
    assert [each for each in await jp.quarantined() if each["community"] == community.id] == []


async def test_a_thief_who_empties_the_feed_is_noticed_by_the_hub_s_refusal(world: World) -> None:
    fr, jp = await world.agencies("robbed-fr", "stolen-jp")
    community = await fr.found(jp)
    thief = await Thief.of(fr, community.id)
    await fr.node.stop()
    await thief.speak()
    async with by_hand(fr) as hand:  # what the thief reads of the shared feed, the victim never gets
        await hand.until(lambda: bool(hand.answers))
        await hand.nothing_left()
    await fr.start()
    await fr.connected()
    said = await fr.publish("Too late", community.slug)
    assert await fr.settled(said) == "fork"
    raised = [(each["name"], each["agency"]) for each in (await fr.run("alarms")).json]
    assert ("fork", fr.id) in raised
    assert await jp.titles(community.slug) == []
