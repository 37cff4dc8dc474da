"""A hub with many agencies and communities: its streams are filled as the hub itself would have filled them,
and it starts from them as after any stop. To enrol them one by one takes minutes, and shows nothing else.
"""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from nats.aio.client import Client

from hub.accounts import Accounts, Credentials, Service
from hub.batch import MAX_BATCH, Outgoing, publish_batch
from hub.keeping import documents
from hub.server import NatsServer
from hub.state import digest
from hub.streams import ensure_streams
from schemas.subjects import DIRECTORY_DOCUMENTS, membership_log
from tests.bench.rotation import code
from tests.bench.stage import COMMANDS, started
from tests.support.frames import AgencyKit, Circle
from tests.support.hub_world import HubWorld, prepare_hub

_TOGETHER: Final = MAX_BATCH // 2


@dataclass(frozen=True)
class Member:
    """An agency with one endpoint, and what it connects with."""

    kit: AgencyKit
    credentials: Credentials

    @asynccontextmanager
    async def connected(self, url: str) -> AsyncIterator[Client]:
        """A connection as its node has one."""
        nc = Client()
        await nc.connect(url, **self.credentials.options())
        try:
            yield nc
        finally:
            await nc.close()


@dataclass(frozen=True)
class Many:
    """A running hub: its process, where it listens, and how long its start took (seconds)."""

    world: HubWorld
    pid: int
    url: str
    members: Sequence[Member]
    circles: Sequence[Circle]
    start: float


@asynccontextmanager
async def hub_of(
    directory: Path, *, agencies: int, communities: int = 1, each: int = 0
) -> AsyncIterator[Many]:
    """A hub with so many agencies and communities of `each` members (0: everybody), the members of each one
    being those after those of the one before.
    """
    world = prepare_hub(directory)
    accounts = Accounts.load(world.settings.accounts_directory)
    members = [_member(accounts, number) for number in range(agencies)]
    circles: list[Circle] = []
    async with NatsServer(world.settings.nats_directory, accounts, port=0) as server:
        nc = Client()
        await nc.connect(server.url, **accounts.credentials(Service.HUB).options())
        await ensure_streams(nc)
        records = list(_records(world, members, circles, communities, each or agencies))
        for begin in range(0, len(records), _TOGETHER):
            await publish_batch(nc, records[begin : begin + _TOGETHER], batch_id=uuid4().hex)
        await nc.close()
    (directory / "liaison-hub.toml").write_text("sender_per_second = 0\n")  # as much as the hub can take
    state, begun = str(world.settings.state), time.perf_counter()
    serve = (str(COMMANDS / "liaison-hub"), "serve", "--state", state, "--port", "0", "--json")
    async with started(directory, "hub", *serve) as ready:
        spent = time.perf_counter() - begun
        try:
            yield Many(world, int(ready["pid"]), str(ready["nats"]), members, circles, spent)
        finally:
            await world.close()


def _member(accounts: Accounts, number: int) -> Member:
    kit = AgencyKit(f"b{number}", f"Agency {number}", code(number))
    minted = accounts.mint(kit.id, kit.user.public)
    kit.endpoint = minted.account_public
    return Member(kit, Credentials(minted.user_jwt, kit.user.seed))


def _records(
    world: HubWorld, members: Sequence[Member], circles: list[Circle], communities: int, each: int
) -> Iterator[Outgoing]:
    """The directory's stream, in order; `circles` is filled on the way."""
    now = world.now
    for document in documents(world.settings):
        yield _record(DIRECTORY_DOCUMENTS, document)
    for member in members:
        yield _record(DIRECTORY_DOCUMENTS, world.secretariat.agency_document(member.kit, now))
        yield _record(DIRECTORY_DOCUMENTS, member.kit.keys_document(now))
    for number in range(communities):
        inside = [members[(number * each + place) % len(members)].kit for place in range(each)]
        circle = Circle(inside[0])
        circles.append(circle)
        yield _record(DIRECTORY_DOCUMENTS, circle.document(now))
        for kit in inside:
            yield _record(membership_log(circle.id), circle.change(kit.id, now))


def _record(subject: str, data: bytes) -> Outgoing:
    return Outgoing(subject, data, {"Nats-Msg-Id": digest(data)})
