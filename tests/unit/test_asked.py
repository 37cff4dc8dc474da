"""What a node may answer when it is asked for old keys, and what it passes on. FORMAT.md, "History"."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.errors import Code
from schemas.frame import parse_frame
from schemas.history import HistoryRequest, parse_request, sign_request
from schemas.limits import WRAP_SIZE
from schemas.vocabulary import History
from subscribers.judging.verdicts import Epoch, EpochId
from subscribers.sealing import unwrap
from subscribers.sharing.asked import accept_request, forget, note_asked, passed_on
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import AT, BRA, COM, FRA, JPN, UNX, Party, Publisher, code_of, directory

MEMBERS = Publisher()
NONE = dataclasses.replace(MEMBERS, ep=1)


def epoch_of(publisher: Publisher, hist: History, *, key: bool = True) -> tuple[EpochId, Epoch]:
    """An epoch as a holder knows it."""
    frame = parse_frame(publisher.announcement(hist))
    known = Epoch("routine", bytes.fromhex(frame.hash), publisher.key.commitment, hist.value, due=True)
    id = EpochId(FRA.endpoint, COM, publisher.ep)
    return id, known._replace(key=publisher.key if key else None)


HELD = epoch_of(MEMBERS, History.MEMBERS)
KEPT = epoch_of(NONE, History.NONE)
LOST = epoch_of(dataclasses.replace(MEMBERS, ep=2), History.MEMBERS, key=False)
EPOCHS = {epoch.announcement: epoch for _, epoch in (HELD, KEPT, LOST)}


def asked(
    *epochs: Epoch, asker: Party = UNX, holder: Party = JPN, publisher: Party = FRA, com: str = COM
) -> bytes:
    request = HistoryRequest(
        issued=AT,
        com=com,
        endpoint=asker.endpoint,
        holder=holder.endpoint,
        publisher=publisher.endpoint,
        epochs=[each.announcement.hex() for each in epochs],
    )
    return sign_request(request, asker.signing)


def code(data: bytes) -> Code | None:
    return code_of(accept_request, data, directory(), EPOCHS, JPN.endpoint, AT)


def test_what_may_be_answered() -> None:
    unknown = HELD[1]._replace(announcement=bytes(32))
    assert code(asked(HELD[1])) is None
    assert code(asked(HELD[1], LOST[1], unknown)) is None
    assert code(asked(HELD[1], KEPT[1])) is Code.HISTORY_NONE
    assert code(asked(HELD[1], asker=BRA)) is Code.NOT_MEMBER
    assert code(asked(HELD[1], holder=FRA)) is Code.SUBJECT_MISMATCH
    assert code(b"{}") is Code.BAD_DOCUMENT


@asynccontextmanager
async def node(path: Path) -> AsyncIterator[tuple[Store, Ledger]]:
    async with await Store.open(path / "node.db", bytes(32), tables.NODE) as store:
        ledger = Ledger(store, JPN.id)
        ledger.directory = directory()
        for id, epoch in (HELD, KEPT, LOST):
            ledger.epochs[id] = epoch
            ledger.announcements[epoch.announcement] = id
        yield store, ledger


async def test_only_keys_for_members_that_are_held_are_passed_on(tmp_path: Path) -> None:
    unknown = HELD[1]._replace(announcement=bytes(32))
    async with node(tmp_path) as (_, ledger):
        signed = parse_request(asked(HELD[1], KEPT[1], LOST[1], unknown))
        (wrapped,) = passed_on(signed, UNX.keys(), ledger)
        assert len(wrapped.to_bytes()) == WRAP_SIZE
        key = unwrap(wrapped, HELD[1].announcement, UNX.kem, UNX.endpoint, HELD[1].kc)
        assert bytes(key) == bytes(MEMBERS.key)
        for other in (asked(HELD[1], publisher=BRA), asked(HELD[1], com="99" * 16)):
            assert passed_on(parse_request(other), UNX.keys(), ledger) == []


async def test_what_is_asked_waits_on_the_disk_and_is_bounded(tmp_path: Path) -> None:
    async with node(tmp_path) as (store, _):

        async def numbers() -> list[int]:
            return [row[0] for row in await store.query("SELECT number FROM asked ORDER BY number")]

        many = [number.to_bytes(4) for number in range(300)]
        await store.transact(lambda connection: note_asked(connection, [b"one", b"one"], AT))
        assert len(await numbers()) == 1
        await store.transact(lambda connection: note_asked(connection, many, AT))
        found = await numbers()
        assert len(found) == 256
        await store.transact(lambda connection: forget(connection, found[0]))
        assert await numbers() == found[1:]
