"""A hub that cheats over its real streams, in a world of its own: a reader names each thing that it does.

What a hub holds back is in test_heartbeats.py.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256

import pytest
import pytest_asyncio

from schemas.frame import BULLETIN, Frame
from schemas.subjects import FrameSubject, membership_log
from schemas.vocabulary import Precedence, Realm
from subscribers.records import Community
from tests.support.crook import Crook, cheating
from tests.support.world import Member, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


@dataclass
class Stage:
    """A cheating hub, who speaks and who reads; `said` are the frames of two bulletins."""

    crook: Crook
    reader: Member
    community: Community
    subject: str
    said: list[Frame]

    async def accused(self, name: str, data: bytes) -> None:
        """Return once the reader has raised this alarm about these bytes, and shows two bulletins only."""
        numbers: list[int] = []

        async def there() -> bool:
            found = [each for each in (await self.reader.run("alarms")).json if each["name"] == name]
            numbers[:] = [each["number"] for each in found if each["frame"] == sha256(data).hexdigest()]
            return bool(numbers)

        await eventually(there)
        await self.reader.run("alarms", "--ack", str(numbers[0]))  # the next is another
        assert len(await self.reader.titles(self.community.slug)) == len(self.said)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with World.opened(tmp_path_factory.mktemp("malicious")) as world:
        speaker, reader = await world.agencies("mh-a", "mh-b")
        community = await speaker.found(reader)
        for title in ("One", "Two"):
            await speaker.publish(title, community.slug)
        await reader.has(community.slug, "One", "Two")
        place = FrameSubject(Realm.LIVE, community.id, Precedence.ROUTINE, speaker.endpoint)
        async with cheating(world) as crook:
            said = [
                each
                for each in await crook.frames(speaker, community.id)
                if each.header.k == BULLETIN and each.header.pr == "routine"
            ]
            yield Stage(crook, reader, community, place.traffic(), said)


async def test_a_frame_that_it_delivers_again(stage: Stage) -> None:
    old = stage.said[0].raw
    await stage.crook.deliver(stage.subject, old)
    await stage.accused("replayed", old)


async def test_a_frame_that_it_changes(stage: Stage) -> None:
    last = stage.said[-1].raw
    changed = last[:-1] + bytes([last[-1] ^ 1])
    await stage.crook.deliver(stage.subject, changed)
    await stage.accused("forgery", changed)


async def test_a_frame_that_it_carries_elsewhere(stage: Stage) -> None:
    flash = stage.subject.replace(".routine.", ".flash.")
    await stage.crook.deliver(flash, stage.said[-1].raw)
    await stage.accused("forgery", stage.said[-1].raw)


async def test_a_member_whom_no_owner_has_signed(stage: Stage) -> None:
    ghost = b'{"payload":"e30=","payloadType":"application/vnd.liaison.membership.v1+json","signatures":[]}'
    await stage.crook.deliver(membership_log(stage.community.id), ghost)
    await stage.accused("ghost_member", ghost)
