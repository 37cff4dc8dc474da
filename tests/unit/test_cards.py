"""A community's card is sealed for everybody who joins, on a real core whose hub is away."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from schemas.card import Card
from schemas.encoding import to_base64
from schemas.frame import CARD
from schemas.signing import MEMBERSHIP_TYPE
from subscribers.core import Core
from subscribers.directory.notifier import Cards
from tests.support.federation import AT, FRA, REGISTRAR, community, documents, entry, envelope
from tests.unit.test_diagnosis import enrolled
from tests.unit.test_replaced import note

OURS = "0e" * 16


class Meanwhile:
    """A clock that lets something happen while the card is being written to the disk."""

    def __init__(self) -> None:
        self.todo: list[Callable[[], None]] = []
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> int:
        if self.todo and threading.current_thread() is not threading.main_thread():
            self._loop.call_soon_threadsafe(self.todo.pop())
        return AT


async def test_a_card_is_due_again_for_who_joins_while_it_is_sealed(tmp_path: Path) -> None:
    clock = Meanwhile()
    async with Core.open(enrolled(tmp_path), clock) as core:
        identity = core.keys.identity
        agency = FRA.agency(id="esp", name="Agency esp", code="ESP", identity=to_base64(identity.public))
        public = {
            "signing": to_base64(core.keys.signing.public),
            "kem": to_base64(core.keys.encryption.public),
        }
        own = FRA.keys(agency="esp", endpoint=core.endpoint, **public)
        ours = community(id=OURS, owners=["esp"], threshold=1)
        signed = [envelope(agency, REGISTRAR), envelope(own, identity), envelope(ours, identity)]
        for each in (*documents()[1:], *signed):
            await core.ledger.append(each, membership=False)
        log = list[bytes]()
        for id in ("esp", "jpn", "unx"):
            log.append(envelope(entry(log, com=OURS, id=id, nbf=AT), identity, type=MEMBERSHIP_TYPE))
        await core.ledger.take_head(note(core.ledger.known().head, AT), AT)
        for each in log[:2]:
            await core.ledger.append(each, membership=True)
        core.ledger.call(OURS, Card(slug="ours", title="Ours", rules=""))
        core.outbox.wraps_here = 0  # so that it is composed in the other thread, and there is a meanwhile
        joining = list[asyncio.Task[None]]()
        clock.todo.append(
            lambda: joining.append(asyncio.create_task(core.ledger.append(log[2], membership=True)))
        )
        await Cards(core).seal()
        await joining[0]
        assert await core.store.query("SELECT community FROM cards_due") == [(OURS,)]
        await Cards(core).seal()
        assert await core.store.query("SELECT community FROM cards_due") == []
        sql = "SELECT count(*) FROM submissions WHERE kind = ?"
        assert await core.store.query(sql, (CARD,)) == [(2,)]
