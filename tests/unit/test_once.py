"""A publication that a client names: asked again, the client is told what became of it."""

from pathlib import Path

import apsw
import pytest

from schemas.errors import Code, DraftError, OperationError
from schemas.frame import BULLETIN
from subscribers.storage import tables
from subscribers.storage.store import Store
from subscribers.writing.drafts import identify
from subscribers.writing.once import Named, noting, split
from tests.support.world import draft

COMMUNITY = "0" * 31 + "1"
NOW = 1_769_848_200_000
ONCE = "019c132c-df40-7a10-8b5e-00000000d0ce"


def test_the_name_stands_beside_the_draft_and_is_no_part_of_it() -> None:
    assert split({"title": "T", "once": ONCE}) == ({"title": "T"}, ONCE)
    assert split({"title": "T"}) == ({"title": "T"}, None)
    for wrong in ("", "x", 7, None, ONCE.upper()):
        with pytest.raises(DraftError) as refused:
            split({"once": wrong})
        assert refused.value.code is Code.BAD_DRAFT


async def journal(store: Store, client: str, once: str | None, number: int) -> None:
    """What the outbox writes of a bulletin, in one transaction."""
    bulletin = identify(
        draft("Once"), id=f"019c132c-df40-7a10-8b5e-{number:012x}", code="FRA", number=number, now=NOW
    )
    also = noting(client, once, COMMUNITY, lambda _connection, _bulletin: None)

    def write(connection: apsw.Connection) -> None:
        also(connection, bulletin)
        connection.execute(
            "INSERT INTO outgoing(id, ref, kind, community, subject, history, payload, state) "
            "VALUES (?, ?, ?, ?, 'in.x', 'none', x'', 'queued')",
            (bulletin.id, bulletin.ref, BULLETIN, COMMUNITY),
        )

    await store.transact(write)


async def test_what_was_published_under_a_name_is_found_by_its_client_alone(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "node.db", bytes(32), tables.NODE) as store:
        named = Named(store)
        await journal(store, "bot", ONCE, 1)
        await journal(store, "siem", ONCE, 2)
        await journal(store, "bot", None, 3)
        await journal(store, "bot", None, 4)
        found = await named.found("bot", ONCE)
        assert found is not None
        assert (found.ref, found.community, found.state) == ("FRA-2026-0001", COMMUNITY, "queued")
        assert await named.found("bot", None) is None
        assert await named.found("chat", ONCE) is None
        with pytest.raises(OperationError) as twice:
            await journal(store, "bot", ONCE, 5)
        assert twice.value.code is Code.ALREADY_KNOWN
        assert await store.query("SELECT count(*) FROM outgoing") == [(4,)]
        for sql, state, code in (
            ("UPDATE outgoing SET state = 'refused', code = 'expired' WHERE ref = ?", "refused", "expired"),
            ("UPDATE outgoing SET state = 'admitted', code = NULL WHERE ref = ?", "admitted", None),
            ("DELETE FROM outgoing WHERE ref = ?", "refused", "not_found"),
        ):
            async with store.write() as tx:
                await tx.execute(sql, (found.ref,))
            now = await named.found("bot", ONCE)
            assert now is not None
            assert (now.id, now.state, now.code) == (found.id, state, code)
