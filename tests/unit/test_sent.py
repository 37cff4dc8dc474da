"""What people are shown of the outbox: what waits, what was refused, within a client's ceiling."""

from pathlib import Path

import apsw
import pytest

from schemas.bulletin import Draft
from schemas.errors import Code, LiaisonError
from schemas.frame import BULLETIN, HEARTBEAT
from schemas.reply import SealedReply
from schemas.vocabulary import Tlp
from subscribers.exchange.sent import Sent
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from subscribers.writing.drafts import identify
from tests.support.world import draft

COMMUNITY = "0" * 31 + "1"
NOW = 1_769_848_200_000


def ident(number: int) -> str:
    return f"019c132c-df40-7a10-8b5e-{number:012x}"


async def put(store: Store, number: int, given: Draft, state: str, code: str | None = None) -> str:
    bulletin = identify(given, id=ident(number), code="FRA", number=number, now=NOW)
    row = (number, bulletin.id, bulletin.ref, BULLETIN, COMMUNITY, bulletin.to_bytes(), state, code)

    def write(connection: apsw.Connection) -> None:
        connection.execute(
            "INSERT INTO outgoing(number, id, ref, kind, community, subject, history, payload, state, code) "
            "VALUES (?, ?, ?, ?, ?, 'in.x', 'none', ?, ?, ?)",
            row,
        )

    await store.transact(write)
    return bulletin.ref


async def test_what_waits_and_what_was_refused(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "node.db", bytes(32), tables.NODE) as store:
        sent = Sent(store, await Ledger.load(store))
        waits = await put(store, 1, draft("Waits"), "queued")
        refused = await put(store, 2, draft("Refused", body="Text"), "refused", "expired")
        secret = await put(store, 3, draft("Secret", tlp="TLP:RED"), "refused", "not_member")
        await put(store, 4, draft("Through"), "admitted")
        await store.transact(
            lambda connection: connection.execute(
                "INSERT INTO outgoing(id, ref, kind, community, subject, history) "
                "VALUES ('h', '', ?, ?, '', '')",
                (HEARTBEAT, COMMUNITY),
            )
        )
        listed = await sent.listed(Tlp.RED, 10)
        assert [(each.ref, each.state, each.code) for each in listed] == [
            (secret, "refused", "not_member"),
            (refused, "refused", "expired"),
            (waits, "queued", None),
        ]
        assert [each.ref for each in await sent.listed(Tlp.GREEN, 10)] == [refused, waits]
        assert await sent.refused() == 2
        assert await sent.draft(refused, Tlp.GREEN) == draft("Refused", body="Text")
        for ref, ceiling in ((secret, Tlp.AMBER), ("FRA-2026-9999", Tlp.RED)):
            for ask in (sent.draft, sent.drop):
                with pytest.raises(LiaisonError) as raised:
                    await ask(ref, ceiling)
                assert raised.value.code is Code.NOT_FOUND


async def test_only_what_was_refused_is_dropped(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "node.db", bytes(32), tables.NODE) as store:
        sent = Sent(store, await Ledger.load(store))
        waits = await put(store, 1, draft("Waits"), "queued")
        refused = await put(store, 2, draft("Digest"), "refused", "expired")
        await store.transact(
            lambda connection: connection.execute(
                "INSERT INTO digests VALUES (?, '2026-01-31', ?)", (COMMUNITY, ident(2))
            )
        )
        with pytest.raises(LiaisonError) as raised:
            await sent.drop(waits, Tlp.RED)
        assert raised.value.code is Code.BAD_REQUEST
        await sent.drop(refused, Tlp.RED)
        assert [each.ref for each in await sent.listed(Tlp.RED, 10)] == [waits]
        assert await store.query("SELECT count(*) FROM digests") == [(0,)]


async def test_a_private_reply_never_becomes_a_draft(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "node.db", bytes(32), tables.NODE) as store:
        ref = await put(store, 1, draft("Private"), "refused", "expired")
        text = (await store.query("SELECT payload FROM outgoing"))[0][0]
        sealed = SealedReply(bytes(32), (bytes(1168),), bytes(1100)).to_bytes()
        sql = "UPDATE outgoing SET payload = ?"
        await store.transact(lambda connection: connection.execute(sql, (sealed,)).fetchall())
        ledger = await Ledger.load(store)
        sent, locked = Sent(store, ledger, lambda *_: text), Sent(store, ledger)
        assert [each.ref for each in await sent.listed(Tlp.GREEN, 10)] == [ref]
        # Its key has gone: nobody can say how it is marked.
        assert await locked.listed(Tlp.AMBER, 10) == []
        assert [each.ref for each in await locked.listed(Tlp.RED, 10)] == [ref]
        for each in (sent, locked):
            with pytest.raises(LiaisonError) as raised:
                await each.draft(ref, Tlp.RED)
            assert raised.value.code is Code.BAD_REQUEST
        await locked.drop(ref, Tlp.RED)
        assert await sent.listed(Tlp.RED, 10) == []
