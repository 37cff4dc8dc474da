"""A ghost member: the hub and the secretariat try to slip one into a community, over the hub's real streams
and with the hub's own credentials. No member believes it, none wraps a key to it, and each notices.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.accounts import Accounts, Service
from hub.ceremony import CeremonyKey
from hub.jetstream import api
from hub.settings import HubSettings
from hub.streams import scan
from schemas.directory import Directory
from schemas.documents import Membership, parse_membership
from schemas.encoding import canonical_json, parse_json, to_base64
from schemas.limits import DOCUMENT_MAX
from schemas.signing import DOCUMENT_TYPE, MEMBERSHIP_TYPE, Signer, sign_envelope
from schemas.subjects import DIRECTORY, DIRECTORY_DOCUMENTS, membership_log, wraps_for
from subscribers.clock import now_ms
from subscribers.core import DATABASE
from subscribers.judging.alarms import AlarmName, listed
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.integration.test_owners import agreed, in_log, out, together
from tests.support.frames import Pair
from tests.support.world import DEADLINE, PATIENCE, Member, World, eventually

pytestmark = pytest.mark.timeout(600)


@dataclass
class MaliciousHub:
    """The hub's own connection, and what stands in a community's log."""

    nc: Client
    community: str

    async def put(self, data: bytes, subject: str = "") -> None:
        """Append to the directory stream, past the registrar."""
        answer = await self.nc.request(subject or membership_log(self.community), data, timeout=DEADLINE)
        assert b'"error"' not in answer.data

    def entry(self, directory: Directory, *signers: Signer, **changes: Any) -> bytes:  # fields
        """The entry that would let the ghost in, signed by these."""
        log = directory.communities[self.community]
        fields = {"com": self.community, "index": log.tree.size, "prev": log.last, "issued": now_ms()}
        ghost = {"op": "add", "id": "us", "role": "member", "nbf": now_ms()}
        entry = Membership.model_validate({**fields, **ghost, **changes})
        return sign_envelope(MEMBERSHIP_TYPE, entry.to_bytes(), signers).to_bytes()

    async def wraps(self, endpoint: str) -> int:
        """How many wraps there are for an endpoint."""
        asked = {"subjects_filter": wraps_for(endpoint)}
        subjects = (await api(self.nc, "STREAM.INFO.TRAFFIC", asked))["state"].get("subjects") or {}
        return sum(subjects.values())

    async def hide(self, member: Member) -> None:
        """Serve a member nothing more of the community's log."""
        name = member.endpoint
        config = (await api(self.nc, f"CONSUMER.INFO.{DIRECTORY}.{name}"))["config"]
        filters = config.pop("filter_subjects", None) or [config.pop("filter_subject")]
        left = [each for each in filters if each != membership_log(self.community)]
        body = {"stream_name": DIRECTORY, "config": {**config, "filter_subjects": left}, "action": ""}
        await api(self.nc, f"CONSUMER.CREATE.{DIRECTORY}.{name}", body)


@contextlib.asynccontextmanager
async def acting(world: World, community: str) -> AsyncIterator[MaliciousHub]:
    """Connected as the hub."""
    settings = HubSettings(state=world.state)
    credentials = Accounts.load(settings.accounts_directory).credentials(Service.HUB)
    url = f"nats://127.0.0.1:{world.port}"
    nc = await nats.connect(url, **credentials.options(), connect_timeout=PATIENCE)
    try:
        yield MaliciousHub(nc, community)
    finally:
        await nc.close()


async def held(member: Member) -> Directory:
    """The directory as a node that does not run has it."""
    async with await Store.open(member.state / DATABASE, member.keys.archive, tables.NODE) as store:
        return (await Ledger.load(store)).known()


async def alarms(member: Member) -> set[tuple[AlarmName, str]]:
    """The alarms of a node that does not run, with the community of each."""
    async with await Store.open(member.state / DATABASE, member.keys.archive, tables.NODE) as store:
        return {(each.key.name, each.key.community) for each in await listed(store, 100, past=True)}


async def refused(member: Member, count: int) -> list[str]:
    """The codes of what the node refused, newest first, once there are so many."""

    async def there() -> bool:
        return len(await member.quarantined()) >= count

    await eventually(there)
    return [each["code"] for each in await member.quarantined()]


async def test_nobody_but_the_owners_lets_a_member_in(tmp_path: Path) -> None:
    async with World.opened(tmp_path) as world:
        fr, kz, gb, us = await world.agencies("fr", "kz", "gb", "us")
        cell = await together(fr, gb, kz, "cell")
        for number, who in enumerate(("fr", "kz", "us")):
            await agreed(fr, gb, cell, "add", who)
            await in_log(fr, cell, number + 1)
        for member in (fr, kz, us):
            await member.knows("cell")
        await agreed(fr, gb, cell, "remove", "us")
        for member in (fr, kz, us):
            await in_log(member, cell, 4)
        await out(fr, cell, "us")
        await fr.node.stop()
        known = await held(fr)
        await fr.start()
        async with acting(world, cell) as hub:
            await forged(hub, world, known, fr, gb)
            # Each once at every member, whatever it was: the log did not move.
            for member in (fr, kz):
                codes = await refused(member, 8)
                assert sorted(codes) == sorted(WANTED)
                await in_log(member, cell, 4)
                assert len((await member.run("community", "log", cell)).json) == 4
            before = await hub.wraps(us.endpoint)
            await fr.publish("Not for ghosts", "cell")
            await kz.has("cell", "Not for ghosts")
            assert await hub.wraps(us.endpoint) == before
            assert "Not for ghosts" not in await us.titles("cell")

            # Shown to some only: whoever is shown less learns of it by the next announcement.
            await hub.hide(kz)
            await agreed(fr, gb, cell, "add", "us")
            await in_log(fr, cell, 5)
            await fr.publish("Cites what is withheld", "cell")
            assert "log_behind" in await refused(kz, 9)
            assert "Cites what is withheld" not in await kz.titles("cell")
        for member in (fr, kz):
            await member.node.stop()
        assert (AlarmName.GHOST_MEMBER, cell) in await alarms(fr)
        assert {(AlarmName.GHOST_MEMBER, cell), (AlarmName.LOG_BEHIND, cell)} <= await alarms(kz)
        assert AlarmName.FORGERY in {name for name, _ in await alarms(kz)}


WANTED = [
    *["below_threshold"] * 4,  # nobody's, the secretariat's, one owner's, and one by a false identity
    "bad_document",
    "not_next",
    "not_next",
    "bad_key",
]
"""What each member makes of it all."""


async def logged(hub: MaliciousHub) -> AsyncIterator[Msg]:
    """What the stream holds of the community's log."""
    async for messages in scan(hub.nc, DIRECTORY, [membership_log(hub.community)]):
        for each in messages:
            yield each


def is_ghost(data: bytes) -> bool:
    """Whether this is the owners' own addition of the agency that they removed since."""
    signed = parse_membership(data)
    return (signed.entry.op, signed.entry.id, signed.entry.index) == ("add", "us", 2)


async def forged(hub: MaliciousHub, world: World, known: Directory, fr: Member, gb: Member) -> None:
    """Every way in."""
    (addition,) = [each.data async for each in logged(hub) if is_ghost(each.data)]
    entry = partial(hub.entry, known)
    secretariat = [
        CeremonyKey.load(world.directory / "SEC" / f"{name}.key", None)
        for name in ("root-1", "root-2", "registrar-1", "registrar-2")
    ]
    await hub.put(entry(Pair()))  # nobody
    await hub.put(entry(*secretariat))
    await hub.put(entry(fr.keys.identity))  # too few
    once = parse_json(entry(fr.keys.identity), DOCUMENT_MAX)
    await hub.put(canonical_json({**once, "signatures": once["signatures"] * 2}))  # one owner twice
    size = known.communities[hub.community].tree.size
    await hub.put(entry(fr.keys.identity, gb.keys.identity, index=size + 1))
    # The old addition, which the removal ended: as it was it is no news, and in new clothes it is not next.
    await hub.put(addition)
    await hub.put(parse_membership(addition).envelope.countersigned(Pair()).to_bytes())
    # An owner's id under a key of the secretariat's making, and an entry by that key.
    false = Pair()
    document = known.agencies["fr"].model_copy(update={"version": 2, "identity": to_base64(false.public)})
    await hub.put(
        sign_envelope(DOCUMENT_TYPE, document.to_bytes(), secretariat).to_bytes(), DIRECTORY_DOCUMENTS
    )
    await hub.put(entry(false, gb.keys.identity))
