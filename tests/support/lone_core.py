"""A node's core as it is in a member's hands, whose hub is away: what it journals is answered by the test."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.encoding import to_base64
from schemas.receipts import Answer
from subscribers.core import Core
from subscribers.records import Change, Record
from subscribers.storage.archive import NewRecord
from subscribers.storage.journal import settle
from subscribers.telling.republish import Republisher
from tests.support import federation as fed
from tests.support.federation import AT, COM
from tests.unit.test_diagnosis import enrolled

US = "esp"


class Taken:
    """A sink that takes everything."""

    async def write(self, records: Sequence[Record]) -> None:
        """Gone."""

    async def correct(self, changes: Sequence[Change]) -> None:
        """Gone."""


@dataclass
class Lone:
    """The core of `esp`, a member of `COM`; `now` is its time."""

    core: Core
    republisher: Republisher
    now: list[int]

    async def keep(self, *records: NewRecord) -> None:
        """They came over the feed."""
        async with self.core.store.write() as tx:
            await self.core.archive.insert_all(tx, list(records))

    async def answer(self, code: str) -> list[str]:
        """The hub answers everything that waits; the ids of the bulletins and reports among it."""
        core = self.core
        waiting = await core.outbox.waiting()
        ids = [id for (id,) in await core.store.query("SELECT id FROM outgoing WHERE state = 'queued'")]
        given = [Answer(core.endpoint, each.sha256, code, self.now[0]) for each in waiting]
        await core.outbox.merge(await core.store.transact(lambda connection: settle(connection, given)))
        return ids


@asynccontextmanager
async def lone(path: Path) -> AsyncIterator[Lone]:
    """Up, with the directory and the membership logs; no witness is asked for."""
    now = [AT]
    root = fed.envelope(fed.root(witnesses=[], quorum=0), fed.ROOTS[0], fed.ROOTS[1])
    async with Core.open(enrolled(path, root), lambda: now[0]) as core:
        agency = fed.FRA.agency(
            id=US, name="Agency esp", code="ESP", identity=to_base64(core.keys.identity.public)
        )
        public = {
            "signing": to_base64(core.keys.signing.public),
            "kem": to_base64(core.keys.encryption.public),
        }
        keys = fed.FRA.keys(agency=US, endpoint=core.endpoint, **public)
        mine = fed.envelope(agency, fed.REGISTRAR), fed.envelope(keys, core.keys.identity)
        for each in (*fed.documents()[1:], *mine):
            await core.ledger.append(each, membership=False)
        log = fed.memberships()[COM]
        for each in (*log, fed.by_owners(fed.entry(log, id=US))):
            await core.ledger.append(each, membership=True)
        yield Lone(core, Republisher(core.archive, core.traffic_feed.fresh, [Taken(), Taken()]), now)
